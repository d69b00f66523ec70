export type Progress = { done: number; refused: number; all: number };
type Answer = { done: number; refused: number; next: string | null; wait_seconds?: number };

/** Does something to all, batch by batch, as fast as the server allows; stops between two batches. */
export async function inBatches(
  all: number,
  send: (after: string | undefined) => Promise<Answer>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  wait: (seconds: number) => Promise<void> = (seconds) => new Promise((go) => setTimeout(go, seconds * 1_000)),
): Promise<Progress> {
  let progress: Progress = { done: 0, refused: 0, all };
  let after: string | undefined;
  while (!signal.aborted) {
    const answer = await send(after);
    progress = { ...progress, done: progress.done + answer.done, refused: progress.refused + answer.refused };
    onProgress(progress);
    if (answer.next === null) break;
    after = answer.next;
    await wait(answer.wait_seconds ?? 0);
  }
  return progress;
}
