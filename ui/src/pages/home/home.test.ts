import { describe, expect, it } from "vitest";
import type { AutomationItem, EventType, RunSummary } from "@/api/types";
import { fingerprint, groupFailures, needingSomeone } from "./failures";
import { sampleToFire } from "./sample";

const run = (id: string, message: string, step = "send"): RunSummary => ({
  id,
  automation: { id: "a1", name: "A", version: 1 },
  status: "failed",
  event: null,
  entity: null,
  test: false,
  created_at: "",
  started_at: null,
  finished_at: null,
  duration_seconds: null,
  error: { code: "timeout", message, step_id: step },
  current_step: null,
  waiting_until: null,
});

describe("groupFailures", () => {
  it("puts runs that failed for one cause together", () => {
    const groups = groupFailures([
      run("1", "patient 17 has no e-mail"),
      run("2", "patient 18 has no e-mail"),
      run("3", "x", "other"),
    ]);
    expect(groups.map((group) => group.runs.length)).toEqual([2, 1]);
  });
  it("knows a message by what does not vary in it", () => {
    expect(fingerprint('field "a" of 0192f3a4-bc11 is 3')).toBe("field … of # is #");
  });
});

describe("needingSomeone", () => {
  const known = { items: [{ id: "a1" } as AutomationItem], next: null };
  const of = (automation: string) => ({
    ...run(automation, "x"),
    automation: { id: automation, name: "", version: 1 },
  });
  it("leaves out what was only tried, and what is deleted", () => {
    const runs = [of("a1"), { ...of("a1"), test: true }, of("gone")];
    expect(needingSomeone(runs, known)).toEqual([runs[0]]);
  });
  it("leaves nothing out as deleted when not every automation is known", () => {
    expect(needingSomeone([of("gone")], { ...known, next: "more" })).toHaveLength(1);
  });
});

describe("sampleToFire", () => {
  const type = (name: string, sample: EventType["sample"]): EventType => ({
    name,
    sample,
    title: null,
    description: null,
    schema: null,
    entity: null,
    on_invalid: "refuse",
  });
  it("prefers an event that an automation in force listens to", () => {
    const listening = { status: "active", trigger: { event: "b" } } as AutomationItem;
    expect(sampleToFire([type("a", {}), type("b", {})], [listening])?.name).toBe("b");
    expect(sampleToFire([type("a", null)], [])).toBeUndefined();
  });
});
