import type { Problem, StepDocument } from "@/api/types";
import { texts } from "@/texts";

/** The part of the automation whose form is open. */
export type Selection =
  | { part: "trigger" }
  | { part: "condition" }
  | { part: "flow" }
  | { part: "ending" }
  | { part: "settings" }
  | { part: "step"; at: number };

/** The part a problem belongs to. */
export function partOf(problem: Problem): Selection {
  const step = /^steps\[(\d+)\]/.exec(problem.path);
  if (step) return { part: "step", at: Number(step[1]) };
  if (problem.path.startsWith("condition")) return { part: "condition" };
  if (problem.path.startsWith("trigger")) return { part: "trigger" };
  if (problem.path.startsWith("flow")) return { part: "flow" };
  if (/^(cancel_on|goal|exit)/.test(problem.path)) return { part: "ending" };
  return { part: "settings" };
}

/** Where a problem is, as the outline names it: `create note › patientId` for `steps[0].with.patientId`. */
export function placeWords(path: string, steps: StepDocument[]): string {
  const step = /^steps\[(\d+)\]\.?(.*)$/.exec(path);
  if (step) return [steps[Number(step[1])]?.id ?? path, inside(step[2] ?? "")].filter(Boolean).join(" › ");
  if (path.startsWith("condition"))
    return [texts.editor.condition, inside(path.slice("condition".length))].filter(Boolean).join(" › ");
  if (path.startsWith("trigger")) return texts.editor.trigger;
  if (path.startsWith("flow")) return texts.flow.title;
  if (path.startsWith("cancel_on")) return texts.ending.cancelOn;
  if (path.startsWith("goal")) return texts.ending.goal;
  if (path.startsWith("exit")) return texts.ending.exit;
  if (path === "name") return texts.editor.name;
  if (path === "steps") return texts.steps.title;
  return path;
}

function inside(path: string): string {
  return path
    .replace(/^(with|branch)\b/, "")
    .replaceAll(/\.?rules\[(\d+)\]/g, (_, index) => `.${Number(index) + 1}`)
    .replace(/^\./, "");
}
