import { describe, expect, it } from "vitest";
import type { AutomationDocument, RunStep } from "@/api/types";
import { counted, grouped } from "./grouping";

const step = (id: string, kind: string, status = "completed", started = "2027-01-01T00:00:00Z"): RunStep => ({
  id,
  kind,
  action: null,
  status: status as RunStep["status"],
  attempts: [],
  input: null,
  output: null,
  error: null,
  due_at: null,
  explanation: null,
  started_at: started,
  finished_at: null,
});
const document = {
  name: "",
  priority: 5,
  condition: null,
  trigger: { event: "a" },
  steps: [
    { id: "both", parallel: ["x", "each"], next: null },
    { id: "x", stop: true },
    { id: "each", for_each: [], action: "log", next: null },
  ],
} as AutomationDocument;

describe("the steps of a run", () => {
  it("stand in the document's order, with their items under them", () => {
    const steps = [
      step("each[]", "for_each", "completed", "2027-01-01T00:00:01Z"),
      step("each[10]", "action", "failed"),
      step("each[2]", "action"),
      step("x", "stop"),
      step("each", "for_each", "failed", "2027-01-01T00:00:09Z"),
      step("both", "parallel"),
    ];
    const found = grouped(steps, document);
    expect(found.map((group) => [group.title, group.depth])).toEqual([
      ["both", 0],
      ["x", 1],
      ["each", 1],
    ]);
    const each = found[2];
    expect(each?.items.map((item) => item.id)).toEqual(["each[2]", "each[10]"]);
    expect(each?.step).toMatchObject({ id: "each", status: "failed", started_at: "2027-01-01T00:00:01Z" });
    expect(counted(each?.items ?? [])).toEqual([
      ["failed", 1],
      ["completed", 1],
    ]);
  });

  it("are shown while the list is still gone through, and without a document", () => {
    const found = grouped(
      [step("each[]", "for_each"), step("each[0]", "action", "running"), step("n[1]", "action")],
      null,
    );
    expect(found.map((group) => [group.step.id, group.title, group.items.length])).toEqual([
      ["each[]", "each", 1],
      ["n[1]", "n[1]", 0],
    ]);
  });

  it("stand in the round they came to last, with the rounds before under them", () => {
    const round = (id: string, number: number) => ({ ...step(id, "action"), step_id: "x", round: number });
    const [, x] = grouped([step("both", "parallel"), round("x", 1), round("x:2", 2), round("x:10", 10)], document);
    expect([x?.step.id, x?.rounds.map((one) => one.id)]).toEqual(["x:10", ["x:2", "x"]]);
    const inList = (id: string, number: number) => ({
      ...step(id, id.endsWith("]") && !id.endsWith("[]") ? "action" : "for_each"),
      step_id: "each",
      round: number,
    });
    const ids = ["each[]", "each[0]", "each", "each:2[]", "each:2[0]"];
    const [each] = grouped(
      ids.map((id) => inList(id, id.includes(":") ? 2 : 1)),
      document,
    );
    expect([each?.step.id, each?.rounds.map((one) => one.id)]).toEqual(["each:2[]", ["each"]]);
    expect(each?.items.map((one) => one.id)).toEqual(["each[0]", "each:2[0]"]);
  });
});
