import { describe, expect, it } from "vitest";
import type { AutomationDocument, StepDocument } from "@/api/types";
import { emptyDocument } from "./draft";
import { merge } from "./merge";

const step = (id: string, more: Partial<StepDocument> = {}): StepDocument => ({ id, action: "log", with: {}, ...more });
const of = (steps: StepDocument[], more: Partial<AutomationDocument> = {}): AutomationDocument => ({
  ...emptyDocument,
  name: "a",
  ...more,
  steps,
});
const idsOf = (document: AutomationDocument) => document.steps.map((one) => one.id);
const base = of([step("a"), step("b"), step("c")]);

describe("changes of two editors", () => {
  it("stand in one document when they are of different things", () => {
    const mine = of([step("a", { retries: 2 }), step("b"), step("c")], { priority: 9 });
    const theirs = of([step("a", { on_error: "continue" }), step("b"), step("c")], { name: "b", timeout: "1h" });
    const { document, both } = merge(base, mine, theirs);
    expect(document).toEqual(
      of([step("a", { retries: 2, on_error: "continue" }), step("b"), step("c")], {
        name: "b",
        timeout: "1h",
        priority: 9,
      }),
    );
    expect(both).toEqual([]);
  });

  it("are named when both changed one thing, and mine stays", () => {
    const mine = of([step("a", { with: { x: 1 } }), step("b"), step("c")], { name: "mine" });
    const theirs = of([step("a", { with: { x: 2 } }), step("b"), step("c")], { name: "theirs" });
    const { document, both } = merge(base, mine, theirs);
    expect([document.name, document.steps[0]?.with]).toEqual(["mine", { x: 1 }]);
    expect(both).toEqual(["name", "a: with"]);
  });

  it("are no clash when both made the same one", () => {
    const changed = of([step("a"), step("c")], { name: "b" });
    expect(merge(base, changed, structuredClone(changed))).toEqual({ document: changed, both: [] });
  });

  it("keep the new steps of both, each after what it stood after", () => {
    const mine = of([step("new first"), step("a"), step("b"), step("mine"), step("c")]);
    const theirs = of([step("a"), step("theirs"), step("b"), step("c"), step("last")]);
    const order = ["new first", "a", "theirs", "b", "mine", "c", "last"];
    expect(idsOf(merge(base, mine, theirs).document)).toEqual(order);
  });

  it("take out what one side took out, unless the other worked on it", () => {
    const mine = of([step("b"), step("c", { retries: 1 })]);
    const theirs = of([step("a"), step("b")]);
    const { document, both } = merge(base, mine, theirs);
    expect([idsOf(document), both]).toEqual([["b", "c"], ["c"]]);
  });

  it("keep the order of whoever moved steps", () => {
    const moved = of([step("c"), step("a"), step("b")]);
    const other = of([step("a"), step("b"), step("c"), step("d")]);
    expect(idsOf(merge(base, moved, other).document)).toEqual(["c", "d", "a", "b"]);
    expect(idsOf(merge(base, other, moved).document)).toEqual(["c", "d", "a", "b"]);
  });
});
