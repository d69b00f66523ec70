import { describe, expect, it } from "vitest";
import { tryable, withoutStandIn } from "./tryable";

const document = { name: "", trigger: { event: "a" }, priority: 5, condition: null, steps: [] };
const problem = (path: string) => ({ path, message: "", code: "" });

describe("tryable", () => {
  it("stands in for a name and steps that are still missing", () => {
    const tried = tryable(document, [problem("name"), problem("steps")]);
    expect(tried?.name).not.toBe("");
    expect(tried?.steps).toHaveLength(1);
    const told = {
      would_start: true,
      explanation: null,
      endings: [],
      cancel_on: [],
      steps: [{ id: tried?.steps[0]?.id ?? "", kind: "stop", would: "stop", text: "" }],
    };
    expect(withoutStandIn(told)?.steps).toEqual([]);
  });

  it("tries nothing without an event, or while the condition has problems", () => {
    expect(tryable({ ...document, trigger: { event: "" } }, [])).toBeNull();
    expect(tryable(document, [problem("condition.rules[0].field")])).toBeNull();
  });

  it("leaves a sound document as it is", () => {
    const sound = { ...document, name: "n", steps: [{ id: "s", stop: true }] };
    expect(tryable(sound, [])).toEqual(sound);
  });
});
