import type { RunAction } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { texts } from "@/texts";

/** What can be done to a run that stands so. */
export function actionsOf(run: Pick<RunDetail, "status">): RunAction[] {
  switch (run.status) {
    case "pending":
    case "running":
    case "waiting":
      return ["pause", "cancel"];
    case "paused":
      return ["resume", "cancel"];
    case "failed":
      return ["retry"];
    default:
      return [];
  }
}

/** What will happen, and what will happen again, in words. */
export function consequence(run: RunDetail, action: RunAction): string {
  if (action !== "retry") return texts.runs.help[action];
  const step = run.steps.find((one) => one.id === run.error?.step_id);
  const kept = run.steps.filter((one) => one.status === "completed").length;
  return step ? texts.runs.retryHelp(step.id, step.attempts.length, kept) : texts.runs.help.retry;
}

/** Whether nothing more will happen to a run by itself. */
export function isOver(run: Pick<RunDetail, "status">): boolean {
  return ["completed", "partial", "failed", "cancelled"].includes(run.status);
}

/** The steps that can be skipped: the one that failed, or those that wait or are next; none while one is performed. */
export function stepsToSkip(run: Pick<RunDetail, "status" | "steps" | "error">): string[] {
  if (run.status === "failed") return run.error?.step_id ? [run.error.step_id] : [];
  if (run.status !== "waiting" && run.status !== "paused") return [];
  if (run.steps.some((step) => step.status === "running")) return [];
  const open = run.steps.filter((step) => step.status === "waiting" || step.status === "ready");
  const inside = open.filter((step) => step.kind !== "parallel" && step.kind !== "for_each");
  return [...inside, ...open.filter((step) => !inside.includes(step))].map((step) => step.id);
}

const ITEM = /^(.*)\[(\d*)\]$/s;

/** A step as a person reads it: `each[]` is where the step `each` took its list. */
export function stepWords(id: string): string {
  return id.endsWith("[]") ? texts.runs.listOf(id.slice(0, -2)) : id;
}

/** Steps as a person reads them, the items of one list together. */
export function named(ids: string[]): string[] {
  const items = new Map<string, number>();
  for (const id of ids) {
    const of = ITEM.exec(id);
    if (of?.[2]) items.set(of[1] ?? "", (items.get(of[1] ?? "") ?? 0) + 1);
  }
  const words = ids.map((id) => {
    const of = ITEM.exec(id);
    const count = of?.[2] ? (items.get(of[1] ?? "") ?? 0) : 0;
    return count > 2 ? texts.runs.itemsNamed(count, of?.[1] ?? "") : stepWords(id);
  });
  return [...new Set(words)];
}
