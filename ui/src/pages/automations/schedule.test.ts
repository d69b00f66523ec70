import { describe, expect, it } from "vitest";
import type { JsonObject } from "@/api/types";
import { changeOf, withChange } from "./change";
import { emptyDocument } from "./editor/draft";
import { daysOf, eachOf, timesOf, WHEN, whenOf, withDays, withEach, withOption, withTimes, withWhen } from "./schedule";

describe("a schedule", () => {
  it("keeps its options when it says when in another way", () => {
    for (const when of WHEN) {
      const changed = withWhen({ daily: ["09:00", "17:30"], zone: "Europe/Paris", gap: "skip" }, when, "2027-01-04");
      expect(whenOf(changed)).toBe(when);
      expect(changed).toMatchObject({ zone: "Europe/Paris", gap: "skip" });
      expect(Object.keys(changed).filter((name) => (WHEN as readonly string[]).includes(name))).toHaveLength(1);
    }
    expect(withWhen({ daily: ["09:00", "17:30"] }, "weekly", "2027-01-04").weekly).toEqual({
      on: ["monday"],
      at: ["09:00", "17:30"],
    });
  });

  it("reads and writes times and days in every form they have", () => {
    expect(timesOf({ daily: "09:00" })).toEqual(["09:00"]);
    expect(timesOf({ weekly: { on: "monday", at: ["09:00"] } })).toEqual(["09:00"]);
    expect(daysOf({ monthly: { on: "last", at: "09:00" } })).toEqual(["last"]);
    expect(withTimes({ daily: "09:00" }, ["09:00", "10:00"])).toEqual({ daily: ["09:00", "10:00"] });
    expect(withDays({ monthly: { on: 1, at: "09:00" } }, [1, "last"]).monthly).toEqual({
      on: [1, "last"],
      at: "09:00",
    });
    expect(withOption({ daily: "09:00", gap: "skip" }, "gap", undefined)).toEqual({ daily: "09:00" });
  });

  it("knows for whom it is", () => {
    const dated: JsonObject = { daily: "09:00", each: { type: "member", before: { field: "renews_on", days: 7 } } };
    const each = eachOf(dated);
    expect(each).toEqual({ type: "member", segment: null, side: "before", field: "renews_on", days: 7 });
    expect(withEach(dated, each)).toEqual(dated);
    expect(withEach(dated, null)).toEqual({ daily: "09:00" });
    const cart = { type: "cart", segment: null, side: "", field: "", days: 0 } as const;
    expect(withEach({ daily: "09:00" }, cart).each).toBe("cart");
    const vip = { segment: "VIP", after: { field: "joined_on", days: 1 } };
    expect(eachOf({ each: vip })).toEqual({ type: "", segment: "VIP", side: "after", field: "joined_on", days: 1 });
    for (const each of [vip, { segment: "VIP" }, "cart"]) {
      expect(withEach({ daily: "09:00" }, eachOf({ each }))).toEqual({ daily: "09:00", each });
    }
  });
});

describe("a change of an entity", () => {
  const types = ["patient"];
  const other = { field: "patient.age", operator: "greater_than", value: 3 };

  it("is the event and the condition that it means, and is found in them again", () => {
    const change = { type: "patient", kind: "updated" as const, field: "status", from: "a", to: "b" };
    const start = { ...emptyDocument, condition: { combinator: "and" as const, rules: [other] } };
    const written = withChange(start, null, change);
    expect(written.trigger).toEqual({ event: "patient.updated" });
    expect(written.condition?.rules).toHaveLength(3);
    expect(changeOf(written, types)).toEqual(change);
    const again = withChange(written, change, { ...change, kind: "created", field: "" });
    expect(again.condition?.rules).toEqual([other]);
    expect(changeOf(again, types)).toMatchObject({ kind: "created", field: "" });
  });

  it("leaves a condition that is an alternative whole beside it", () => {
    const either = { combinator: "or" as const, rules: [other, other] };
    const change = { type: "patient", kind: "updated" as const, field: "status" };
    const written = withChange({ ...emptyDocument, condition: either }, null, change);
    expect(written.condition?.rules).toEqual([{ field: "patient.status", operator: "changed" }, either]);
  });

  it("is not seen in events of other names", () => {
    expect(changeOf({ ...emptyDocument, trigger: { event: "order.created" } }, types)).toBeNull();
    expect(changeOf({ ...emptyDocument, trigger: { manual: true } }, types)).toBeNull();
  });
});
