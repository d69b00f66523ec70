import { expect, test } from "vitest";
import type { BulkAnswer, BulkOrder } from "@/api/dead-letters";
import { actOnAll, type Progress } from "./bulk";

const answer = (more: Partial<BulkAnswer>): BulkAnswer => ({
  count: 3,
  done: 0,
  refused: 0,
  left: 0,
  until: "t",
  next: null,
  wait_seconds: 0,
  problems: [],
  ...more,
});

test("it goes on from batch to batch, waits as asked, and adds up", async () => {
  const sent: BulkOrder[] = [];
  const waited: number[] = [];
  const told: Progress[] = [];
  const answers = [answer({ done: 2, left: 1, next: "b", wait_seconds: 0.5 }), answer({ refused: 1 })];
  const end = await actOnAll(
    { fingerprint: "f", action: "retry", until: "t", all: 3 },
    (progress) => told.push(progress),
    new AbortController().signal,
    async (order) => {
      sent.push(order);
      return answers.shift() ?? answer({});
    },
    async (seconds) => {
      waited.push(seconds);
    },
  );
  expect(end).toEqual({ done: 2, refused: 1, all: 3 });
  expect(told).toHaveLength(2);
  expect(waited).toEqual([0.5]);
  expect(sent.map((order) => [order.dry_run, order.after, order.until])).toEqual([
    [false, undefined, "t"],
    [false, "b", "t"],
  ]);
});

test("a person who stops it stops it before the next batch", async () => {
  const stop = new AbortController();
  let calls = 0;
  const end = await actOnAll(
    { fingerprint: "f", action: "discard", reason: "r", until: "t", all: 9 },
    () => stop.abort(),
    stop.signal,
    async () => {
      calls += 1;
      return answer({ done: 1, next: "more" });
    },
    async () => {},
  );
  expect([calls, end.done]).toEqual([1, 1]);
});
