import { expect, test } from "vitest";
import { emptyDocument } from "./editor/draft";
import { endingWords } from "./ending";

test("what ends a run early is told in a few words, and nothing where nothing does", () => {
  const rule = { field: "entity.status", operator: "equals", value: "paid" };
  const ends = { cancel_on: [{ event: "order/cancelled" }], goal: { combinator: "and" as const, rules: [rule] } };
  expect(endingWords(emptyDocument, [])).toBe("");
  expect(endingWords({ ...emptyDocument, ...ends }, [])).toBe(
    "cancelled by order/cancelled; goal: entity.status equals “paid”",
  );
});
