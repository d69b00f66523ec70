import { describe, expect, it } from "vitest";
import { isSaid, kindOf, newTrigger, triggerWords } from "./trigger";

describe("what starts an automation", () => {
  it("is told in words", () => {
    expect(triggerWords({ event: "order.created" })).toBe("order.created");
    expect(triggerWords({ schedule: { daily: "09:00", zone: "Europe/Paris" } })).toBe(
      "Every day at 09:00 (Europe/Paris)",
    );
    expect(triggerWords({ schedule: { weekly: { on: "monday", at: "09:00" } } })).toContain("monday");
    expect(triggerWords({ schedule: {} })).toBe("A schedule");
    expect(triggerWords({ manual: true })).toBe("Only by hand");
  });

  it("has a kind, and says itself only when it names an event or needs none", () => {
    for (const kind of ["event", "schedule", "manual"] as const) {
      expect(kindOf(newTrigger(kind))).toBe(kind);
      expect(isSaid(newTrigger(kind))).toBe(kind !== "event");
    }
    expect(isSaid({ event: "a" })).toBe(true);
  });
});
