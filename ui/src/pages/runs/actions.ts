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

/** The step that can be skipped: the one that failed, waits, or is next in a paused run; null while one is performed. */
export function stepToSkip(run: Pick<RunDetail, "status" | "steps" | "current_step" | "error">): string | null {
  if (run.status === "failed") return run.error?.step_id ?? null;
  if (run.status !== "waiting" && run.status !== "paused") return null;
  const step = run.steps.find((one) => one.id === run.current_step);
  return step && step.status !== "running" ? step.id : null;
}
