import { describe, expect, it } from "vitest";
import type { AutomationItem } from "@/api/types";
import { counted, isWanted } from "./search";

const item = (changes: Partial<AutomationItem>): AutomationItem =>
  ({
    name: "Reminder",
    status: "active",
    trigger: { event: "x" },
    priority: 5,
    condition: null,
    steps: [],
    ...changes,
  }) as AutomationItem;

describe("what a list is narrowed down to", () => {
  it("finds a folder with those below it, and no other that begins alike", () => {
    expect(isWanted(item({ folder: "Clinic" }), { folder: "Clinic" })).toBe(true);
    expect(isWanted(item({ folder: "Clinic/Calls" }), { folder: "Clinic" })).toBe(true);
    expect(isWanted(item({ folder: "Clinical" }), { folder: "Clinic" })).toBe(false);
    expect(isWanted(item({}), { folder: "Clinic" })).toBe(false);
  });

  it("asks for all that is wanted at once", () => {
    const one = item({ tags: ["vip"], folder: "Clinic" });
    expect(isWanted(one, { tag: "vip", q: "REMIND", status: "active" })).toBe(true);
    expect(isWanted(one, { tag: "vi" })).toBe(false);
    expect(isWanted(one, { tag: "vip", status: "paused" })).toBe(false);
    expect(isWanted(item({}), { tag: "vip" })).toBe(false);
  });

  it("shows what was put away only to who asks for it", () => {
    const away = item({ status: "archived" });
    expect([isWanted(away, {}), isWanted(away, { status: "archived" })]).toEqual([false, true]);
  });

  it("counts each value once", () => {
    expect(counted(["b", "a", "b"])).toEqual([
      { value: "a", title: "a", count: 1 },
      { value: "b", title: "b", count: 2 },
    ]);
  });
});
