import { expect, test } from "vitest";
import type { RunDetail, RunStatus } from "@/api/types";
import { actionsOf, consequence, stepToSkip } from "./actions";

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

test("the step that failed, waits or is next can be skipped, but not one that is being performed", () => {
  const at = (status: RunStatus, step: string) =>
    stepToSkip({ status, current_step: "a", error: null, steps: [{ id: "a", status: step }] } as unknown as RunDetail);
  expect(at("waiting", "waiting")).toBe("a");
  expect(at("paused", "ready")).toBe("a");
  expect(at("paused", "running")).toBeNull();
  expect(at("running", "running")).toBeNull();
  expect(at("completed", "completed")).toBeNull();
  const failed = { status: "failed", error: { step_id: "b" }, steps: [] } as unknown as RunDetail;
  expect(stepToSkip(failed)).toBe("b");
});
