import { describe, expect, it } from "vitest";
import { placeOf, selectionAt } from "./places";

const steps = [{ id: "charge" }, { id: "tell" }];

describe("places of insights in the editor", () => {
  it.each([
    ["steps[1].retries", { step: "tell" }, { part: "step", at: 1 }],
    ["condition.rules[0]", { part: "condition" }, { part: "condition" }],
    ["goal", { part: "ending" }, { part: "ending" }],
    ["steps[7]", {}, null],
  ])("%s", (path, place, selection) => {
    expect(placeOf(path, steps)).toEqual(place);
    expect(selectionAt(place, steps)).toEqual(selection);
  });
  it("a step is found by its name where it stands now, and only while it is there", () => {
    expect(selectionAt({ step: "tell" }, [{ id: "tell" }])).toEqual({ part: "step", at: 0 });
    expect(selectionAt({ step: "gone" }, steps)).toBeNull();
    expect(selectionAt({ part: "nonsense" }, steps)).toBeNull();
  });
});
