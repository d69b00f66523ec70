import type { Problem } from "@/api/types";

/** The part of the automation whose form is open. */
export type Selection =
  | { part: "trigger" }
  | { part: "condition" }
  | { part: "settings" }
  | { part: "step"; at: number };

/** The part a problem belongs to. */
export function partOf(problem: Problem): Selection {
  const step = /^steps\[(\d+)\]/.exec(problem.path);
  if (step) return { part: "step", at: Number(step[1]) };
  if (problem.path.startsWith("condition")) return { part: "condition" };
  if (problem.path.startsWith("trigger")) return { part: "trigger" };
  return { part: "settings" };
}
