import type { RunDetail } from "@/api/types";
import { exact, span } from "@/parts/instants";
import { texts } from "@/texts";

/** Where the run is now and what comes next, as one sentence. */
export function runSentence(run: RunDetail): string {
  const say = texts.runs.sentence;
  switch (run.status) {
    case "completed":
      return [run.reason?.message, say.completed(span((run.duration_seconds ?? 0) * 1000))].filter(Boolean).join(" ");
    case "failed":
      return failedSentence(run);
    case "running":
      return run.current_step ? say.running(run.current_step) : say.runningPlain;
    case "waiting":
      return run.current_step && run.waiting_until
        ? say.waiting(run.current_step, exact(run.waiting_until))
        : say.waitingPlain;
    case "cancelled":
      return run.reason ? say.cancelledBy(run.reason.message) : say.cancelled;
    default:
      return say[run.status];
  }
}

function failedSentence(run: RunDetail): string {
  const id = run.error?.step_id;
  const step = run.steps.find((one) => one.id === id);
  if (!id || !step) return texts.runs.sentence.failedPlain;
  return texts.runs.sentence.failed(id, Math.max(1, step.attempts.length));
}
