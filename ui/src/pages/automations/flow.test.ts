import { describe, expect, it } from "vitest";
import { CONTROLS, controlNames, controlOf, flowWords, withControl, withField, withSaid } from "./flow";

describe("flow control", () => {
  it("is turned on with what it needs, and off without a rest", () => {
    for (const name of controlNames) {
      const flow = withControl(undefined, name, true);
      const known: readonly string[] = CONTROLS[name];
      expect(Object.keys(controlOf(flow, name) ?? {}).every((field) => known.includes(field))).toBe(true);
      expect(withControl(flow, name, false)).toBeUndefined();
    }
  });

  it("changes one field and leaves all else as it is", () => {
    const flow = { once: { key: "{{ a }}", per: "1d" }, later: { x: 1 } };
    expect(withField(flow, "once", "per", "2d")).toEqual({ once: { key: "{{ a }}", per: "2d" }, later: { x: 1 } });
    expect(withField(flow, "once", "key", undefined)).toEqual({ once: { per: "1d" }, later: { x: 1 } });
    expect(withSaid(flow, "reentry", "skip")).toEqual({ ...flow, reentry: "skip" });
  });

  it("is told in words", () => {
    expect(flowWords(null)).toBe("");
    expect(flowWords({ concurrency: { limit: 1 }, reentry: "skip" })).toBe("So many at once, While one is under way");
    expect(flowWords({ reentry: "allow" })).toBe("");
  });
});
