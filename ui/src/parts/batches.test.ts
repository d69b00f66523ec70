import { expect, test } from "vitest";
import { inBatches, type Progress } from "./batches";

test("it goes on from batch to batch, waits as asked, and adds up", async () => {
  const sent: (string | undefined)[] = [];
  const waited: number[] = [];
  const told: Progress[] = [];
  const answers = [
    { done: 2, refused: 0, next: "b", wait_seconds: 0.5 },
    { done: 0, refused: 1, next: null },
  ];
  const end = await inBatches(
    3,
    async (after) => {
      sent.push(after);
      return answers.shift() ?? { done: 0, refused: 0, next: null };
    },
    (progress) => told.push(progress),
    new AbortController().signal,
    async (seconds) => {
      waited.push(seconds);
    },
  );
  expect(end).toEqual({ done: 2, refused: 1, all: 3 });
  expect(told).toHaveLength(2);
  expect([waited, sent]).toEqual([[0.5], [undefined, "b"]]);
});

test("a person who stops it stops it before the next batch", async () => {
  const stop = new AbortController();
  let calls = 0;
  const end = await inBatches(
    9,
    async () => {
      calls += 1;
      return { done: 1, refused: 0, next: "more" };
    },
    () => stop.abort(),
    stop.signal,
    async () => {},
  );
  expect([calls, end.done]).toEqual([1, 1]);
});
