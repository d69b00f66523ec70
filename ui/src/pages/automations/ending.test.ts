import { expect, test } from "vitest";
import { emptyDocument } from "./editor/draft";
import { endingWords } from "./ending";

test("what cancels a run is told in a few words, and nothing where nothing does", () => {
  expect(endingWords(emptyDocument)).toBe("");
  const cancelled = { ...emptyDocument, cancel_on: [{ event: "order/cancelled" }, { event: "" }, { event: "x" }] };
  expect(endingWords(cancelled)).toBe("Cancelled by order/cancelled, x");
  const paid = { field: "entity.state", operator: "equals", value: "paid" };
  const goal = { ...cancelled, cancel_on: [], goal: paid, exit: { combinator: "and" as const, rules: [] } };
  expect(endingWords(goal)).toBe("Done once entity.state equals “paid”");
  expect(endingWords({ ...cancelled, exit: paid })).toBe(
    "Given up once entity.state equals “paid”; Cancelled by order/cancelled, x",
  );
});
