import { describe, expect, it } from "vitest";
import type { RunStep } from "@/api/types";
import { layOut, notReached, stepToShow } from "./timeline";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

function step(id: string, kind: string, from: number, to: number | null, tries: [number, number][] = []): RunStep {
  return {
    id,
    kind,
    action: null,
    status: to === null ? "running" : "completed",
    input: null,
    output: null,
    error: null,
    due_at: null,
    explanation: null,
    started_at: at(from),
    finished_at: to === null ? null : at(to),
    attempts: tries.map(([start, end], index) => ({
      attempt: index + 1,
      status: "completed",
      started_at: at(start),
      finished_at: at(end),
      duration_seconds: end - start,
      error: null,
      log: [],
    })),
  };
}

describe("layOut", () => {
  it("squeezes a day of waiting so that the steps around it stay visible", () => {
    const rows = layOut(
      [
        step("a", "action", 0, 1, [[0, 1]]),
        step("wait", "delay", 1, 86_401),
        step("b", "action", 86_401, 86_402, [[86_401, 86_402]]),
      ],
      0,
    );
    const [a, wait, b] = rows.map((row) => row.bar?.width ?? 0);
    expect(a).toBeGreaterThan(0.3);
    expect(b).toBeCloseTo(a ?? 0, 2);
    expect(wait).toBeLessThan(0.25);
  });

  it("gives each attempt its lane, in order and inside the width", () => {
    const [row] = layOut(
      [
        step("a", "action", 0, 60, [
          [0, 1],
          [10, 11],
          [59, 60],
        ]),
      ],
      0,
    );
    const lanes = row?.lanes ?? [];
    expect(lanes).toHaveLength(3);
    for (const lane of lanes) expect(lane.bar.left + lane.bar.width).toBeLessThanOrEqual(1.001);
    expect(lanes[1]?.bar.left).toBeGreaterThan(lanes[0]?.bar.left ?? 0);
  });

  it("draws a step under way up to now", () => {
    const [row] = layOut([step("a", "action", 0, null)], Date.parse(at(5)));
    expect(row?.bar?.width).toBeGreaterThan(0.9);
  });
});

it("lists what the run has not reached", () => {
  const document = {
    name: "x",
    trigger: { event: "e" },
    priority: 5,
    condition: null,
    steps: [
      { id: "a", action: "x" },
      { id: "b", delay: "1h" },
    ],
  };
  expect(notReached(document, [step("a", "action", 0, 1)])).toEqual([{ id: "b", kind: "delay", action: null }]);
});

it("opens what failed, else where the run stands, else what happened last", () => {
  const done = step("a", "action", 0, 1);
  const waiting = { ...step("b", "delay", 1, null), status: "waiting" as const };
  const ahead = { ...step("c", "action", 2, 3), status: "pending" as const, started_at: null };
  expect(stepToShow([done, waiting, ahead])?.id).toBe("b");
  expect(stepToShow([done, ahead])?.id).toBe("a");
  expect(stepToShow([waiting, { ...done, status: "failed" }])?.id).toBe("a");
});
