import { describe, expect, it } from "vitest";
import type { StepDocument } from "@/api/types";
import { freeId, kindOf, moveStep, newStep, outputPath, removeStep, renameStep, summary } from "./model";

const steps: StepDocument[] = [
  { id: "note", action: "create_note", with: { content: "Booked" } },
  {
    id: "still on?",
    branch: { field: "entity.status", operator: "equals", value: "scheduled" },
    if_true: "remind",
    if_false: null,
  },
  { id: "remind", action: "draft_email", with: { body: '{{ steps.note.output.id }} {{ steps["still on?"].result }}' } },
];

describe("steps", () => {
  it("knows a step's kind by its keys", () => {
    expect(steps.map(kindOf)).toEqual(["action", "branch", "action"]);
    expect(kindOf({ id: "x", delay: "1h" })).toBe("delay");
    expect(kindOf({ id: "x", stop: "" })).toBe("stop");
    expect(kindOf({ id: "x", wait_for_event: "a" })).toBe("wait_for_event");
    expect(kindOf({ id: "x", call: "a", with: {} })).toBe("call");
    expect(kindOf({ id: "x", later: 1 })).toBe("other");
    expect(kindOf({ id: "x", parallel: ["a", "b"] })).toBe("parallel");
  });

  it("gives a new step an id of its own", () => {
    expect(freeId(steps, "note")).toBe("note 2");
    expect(newStep(steps, "delay").delay).toBe("1h");
  });

  it("leads around a removed step", () => {
    const chain: StepDocument[] = [
      { id: "a", next: "b", action: "x" },
      { id: "b", action: "x" },
      { id: "c", action: "x" },
    ];
    expect(removeStep(chain, 1)[0]?.next).toBe("c");
    expect(removeStep(steps, 2)[1]?.if_true).toBeNull();
  });

  it("moves within the list only", () => {
    expect(moveStep(steps, 0, -1)).toBe(steps);
    expect(moveStep(steps, 0, 1).map((step) => step.id)).toEqual(["still on?", "note", "remind"]);
  });

  it("renames a step and everything that speaks of it", () => {
    const renamed = renameStep(steps, 0, "first note");
    expect(renamed[2]?.with?.body).toBe('{{ steps["first note"].output.id }} {{ steps["still on?"].result }}');
    expect(renameStep(steps, 2, "later")[1]?.if_true).toBe("later");
    expect(renameStep(steps, 1, "on")[2]?.with?.body).toContain("steps.on.result");
  });

  it("says in words what a step does and where it leads", () => {
    expect(summary(steps[0] as StepDocument, [])).toBe("content: Booked");
    expect(summary(steps[1] as StepDocument, [])).toBe("entity.status equals “scheduled”");
    expect(outputPath("still on?")).toBe('steps["still on?"].output');
  });
});
