import type { BulkAction, BulkAnswer, BulkOrder } from "@/api/dead-letters";

export type Progress = { done: number; refused: number; all: number };
type Order = { fingerprint: string; action: BulkAction; reason?: string; until: string; all: number };
type Send = (order: BulkOrder) => Promise<BulkAnswer>;

/** Acts on all letters of one fingerprint, batch by batch, as fast as the server allows; stops between two batches. */
export async function actOnAll(
  { all, ...order }: Order,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  send: Send,
  wait: (seconds: number) => Promise<void> = (seconds) => new Promise((go) => setTimeout(go, seconds * 1_000)),
): Promise<Progress> {
  let progress: Progress = { done: 0, refused: 0, all };
  let after: string | undefined;
  while (!signal.aborted) {
    const answer = await send({ ...order, dry_run: false, after });
    progress = { ...progress, done: progress.done + answer.done, refused: progress.refused + answer.refused };
    onProgress(progress);
    if (answer.next === null) break;
    after = answer.next;
    await wait(answer.wait_seconds);
  }
  return progress;
}
