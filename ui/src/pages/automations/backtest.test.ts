import { expect, test } from "vitest";
import type { Backtest } from "@/api/types";
import { goThrough, kindsShown } from "./backtest";

const none = { newly: 0, no_longer: 0, both: 0, neither: 0, undecided: 0 };

function told(events: number, next: string | null, more: Partial<Backtest> = {}): Backtest {
  return {
    since: "2026-11-01T00:00:00Z",
    until: "2026-11-08T00:00:00Z",
    version: null,
    draft_revision: 1,
    against: 1,
    progress: { events, of: 3 },
    would_start: 0,
    other_would_start: 0,
    counts: none,
    samples: { newly: [], no_longer: [], both: [], neither: [], undecided: [] },
    next,
    ...more,
  };
}

test("goes on with each answer's cursor until there is none", async () => {
  const asked: unknown[] = [];
  const answers = [told(1, "a"), told(2, "b"), told(3, null)];
  const seen: number[] = [];
  await goThrough(
    "then",
    (one) => seen.push(one.progress.events),
    new AbortController().signal,
    async (one) => {
      asked.push(one);
      return answers[asked.length - 1] as Backtest;
    },
  );
  expect(asked).toEqual([{ since: "then" }, { cursor: "a" }, { cursor: "b" }]);
  expect(seen).toEqual([1, 2, 3]);
});

test("says nothing more once it is stopped", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  await goThrough(
    "then",
    (one) => seen.push(one.progress.events),
    stop.signal,
    async () => {
      if (seen.length === 1) stop.abort();
      return told(seen.length + 1, "more");
    },
  );
  expect(seen).toEqual([1]);
});

test("shows differences first, and what could not be decided only if there is any", () => {
  expect(kindsShown(told(0, null))).toEqual(["newly", "no_longer", "both", "neither"]);
  expect(kindsShown(told(0, null, { against: null }))).toEqual(["newly", "neither"]);
  expect(kindsShown(told(0, null, { against: null, counts: { ...none, undecided: 2 } }))).toContain("undecided");
});
