import { expect, test } from "vitest";
import type { BulkRuns } from "@/api/runs";
import { effectWords, seen, summed } from "./bulk";

const batch = (told: Partial<BulkRuns>): BulkRuns => ({
  ...{ count: 0, done: 0, refused: 0, left: 0, until: "", next: null, problems: [], repeats: [] },
  ...told,
});

test("what batches tell is added up, and the first says how many there are", () => {
  const first = { count: 3, refused: 1, until: "u", next: "b", repeats: [{ automation: "a", step: "pay", runs: 1 }] };
  const second = { count: 1, until: "v", repeats: [{ automation: "a", step: "pay", runs: 1 }] };
  const told = summed([batch(first), batch(second)]);
  expect(told).toMatchObject({ count: 3, refused: 1, until: "u", next: null });
  expect(told?.repeats).toEqual([{ automation: "a", step: "pay", runs: 2 }]);
  expect(summed([])).toBeNull();
  expect(seen([batch({ count: 120, left: 70 }), batch({ count: 70, left: 20 })])).toBe(100);
  expect(seen([])).toBe(0);
});

test("items and rounds of a step are said as one", () => {
  const repeats = [
    { automation: "a", step: "pay", runs: 2 },
    { automation: "a", step: "each[0]", runs: 2 },
    { automation: "a", step: "each[1]", runs: 1 },
    { automation: "a", step: "remind:2", runs: 1 },
  ];
  const words = effectWords(repeats, () => "Paid");
  expect(words).toHaveLength(3);
  expect(words[0]).toContain("each");
  expect(words[0]).toContain("3 times");
});
