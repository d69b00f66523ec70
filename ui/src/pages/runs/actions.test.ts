import { expect, test } from "vitest";
import type { RunDetail, RunStatus } from "@/api/types";
import { actionsOf, consequence, named, stepsToSkip } from "./actions";

test("a run offers what its status allows", () => {
  const offered = (status: RunStatus) => actionsOf({ status }).join(" ");
  expect(offered("running")).toBe("pause cancel");
  expect(offered("waiting")).toBe("pause cancel");
  expect(offered("paused")).toBe("resume cancel");
  expect(offered("failed")).toBe("retry");
  expect(offered("completed")).toBe("");
});

test("a retry says which step is performed again and what is not", () => {
  const steps = [
    { id: "note", status: "completed", attempts: [{}] },
    { id: "charge", status: "failed", attempts: [{}, {}] },
  ];
  const run = { status: "failed", error: { step_id: "charge" }, steps } as unknown as RunDetail;
  const said = consequence(run, "retry");
  expect(said).toContain("charge");
  expect(said).toContain("2 attempts");
  expect(said).toContain("1 step");
});

test("steps that failed, wait or are next can be skipped, but none while one is performed", () => {
  const at = (status: RunStatus, ...steps: [string, string][]) =>
    stepsToSkip({
      status,
      error: null,
      steps: steps.map(([id, step]) => ({ id, status: step, kind: id === "fork" ? "parallel" : "action" })),
    } as unknown as RunDetail).join(" ");
  expect(at("waiting", ["fork", "waiting"], ["a", "waiting"], ["b", "completed"], ["c", "waiting"])).toBe("a c fork");
  expect(at("paused", ["a", "ready"])).toBe("a");
  expect(at("paused", ["a", "running"], ["b", "waiting"])).toBe("");
  expect(at("running", ["a", "running"])).toBe("");
  expect(at("completed", ["a", "completed"])).toBe("");
  const failed = { status: "failed", error: { step_id: "b" }, steps: [] } as unknown as RunDetail;
  expect(stepsToSkip(failed)).toEqual(["b"]);
});

test("steps are named as a person reads them, many items of one list together", () => {
  const words = ["a", "the list of each", "3 items of each", "each", "two[0]"];
  expect(named(["a", "each[]", "each[0]", "each[1]", "each[2]", "each", "two[0]"])).toEqual(words);
});
