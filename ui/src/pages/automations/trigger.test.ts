import { describe, expect, it } from "vitest";
import { isSaid, kindOf, newTrigger, triggerWords } from "./trigger";

describe("what starts an automation", () => {
  it("is told in words", () => {
    expect(triggerWords({ event: "order.created" })).toBe("order.created");
    expect(triggerWords({ schedule: { daily: "09:00", zone: "Europe/Paris" } })).toBe(
      "Every day at 09:00 (Europe/Paris)",
    );
    expect(triggerWords({ schedule: { weekly: { on: "monday", at: "09:00" } } })).toBe("Every Monday at 09:00");
    expect(triggerWords({ schedule: { monthly: { on: [1, "last"], at: "09:00" } } })).toBe(
      "Every month on 1, last at 09:00",
    );
    const each = { type: "member", before: { field: "renews_on", days: 7 } };
    expect(triggerWords({ schedule: { daily: "09:00", each } })).toBe(
      "Every day at 09:00, for each member 7 days before its renews_on",
    );
    expect(triggerWords({ schedule: {} })).toBe("A schedule");
    expect(triggerWords({ manual: true })).toBe("Only by hand");
  });

  it("has a kind, and says itself only when it names an event or needs none", () => {
    const types = ["member"];
    for (const kind of ["event", "change", "schedule", "dates", "manual"] as const) {
      const made = newTrigger(kind, { event: "a" }, "member");
      expect(kindOf(made, types)).toBe(kind);
      expect(isSaid(made)).toBe(kind !== "event");
    }
    expect(kindOf({ webhook: { token: "t" } })).toBe("other");
    expect(isSaid({ event: "a" })).toBe(true);
  });
});

it("a schedule over a segment, and who joins or leaves one", () => {
  const schedule = { daily: "09:00", each: { segment: "VIP" } };
  expect(kindOf({ schedule })).toBe("schedule");
  expect(triggerWords({ schedule })).toBe("Every day at 09:00, for each entity in “VIP”");
  const dated = { daily: "09:00", each: { segment: "VIP", after: { field: "joined_on", days: 1 } } };
  expect(kindOf({ schedule: dated })).toBe("dates");
  expect(triggerWords({ schedule: dated })).toContain("for each entity in “VIP” 1 days after its joined_on");
  expect(kindOf({ segment: "VIP", on: "left" })).toBe("segment");
  expect(triggerWords({ segment: "VIP", on: "left" })).toBe("leaves “VIP”");
});
