import { describe, expect, it } from "vitest";
import type { StepDocument } from "@/api/types";
import { opened, placesOf, waysOf } from "./lanes";

const note = (id: string, more: Partial<StepDocument> = {}): StepDocument => ({ id, action: "create_note", ...more });
const inLanes = (steps: StepDocument[], onFailure?: string) =>
  Object.fromEntries(
    placesOf(steps, onFailure).map((place, at) => [
      steps[at]?.id,
      place.lanes.map((lane) => `${lane.of}.${lane.way.field}`).join(" "),
    ]),
  );

describe("where the steps of an outline stand", () => {
  it("keeps what stands below a guard in line", () => {
    const steps = [note("a"), { id: "guard", branch: { combinator: "and", rules: [] }, if_false: null }, note("b")];
    expect(inLanes(steps as StepDocument[])).toEqual({ a: "", guard: "", b: "" });
  });

  it("puts each way of a branch into a lane, and what they meet at below", () => {
    const steps = [
      { id: "which", branch: { combinator: "and", rules: [] }, if_true: "yes", if_false: "no" },
      note("yes", { next: "both" }),
      note("no"),
      note("both"),
    ] as StepDocument[];
    expect(inLanes(steps)).toEqual({ which: "", yes: "which.if_true", no: "which.if_false", both: "" });
    const places = placesOf(steps);
    expect(opened(places, 1).map((lane) => lane.way.words)).toEqual(["if true"]);
    expect(opened(places, 3)).toEqual([]);
  });

  it("nests the branches of parallel steps and names their join", () => {
    const steps: StepDocument[] = [
      { id: "outer", parallel: ["inner", "other"], next: "end", timeout: "1d", on_timeout: "late" },
      { id: "inner", parallel: ["x", "y"], next: "z" },
      note("x", { next: null }),
      note("y", { next: null }),
      note("z", { next: null }),
      note("other", { next: "end" }),
      note("end", { next: null }),
      note("late"),
    ];
    expect(inLanes(steps)).toEqual({
      outer: "",
      inner: "outer.parallel[0]",
      x: "outer.parallel[0] inner.parallel[0]",
      y: "outer.parallel[0] inner.parallel[1]",
      z: "outer.parallel[0]",
      other: "outer.parallel[1]",
      end: "",
      late: "outer.on_timeout",
    });
    expect(placesOf(steps)[6]?.joins).toBe("outer");
  });

  it("keeps the paths for failures apart, also the automation's own", () => {
    const steps = [
      note("a", { on_failure: "sorry" }),
      note("b", { next: null }),
      note("sorry", { next: null }),
      note("end"),
    ];
    expect(inLanes(steps, "end")).toEqual({ a: "", b: "", sorry: "a.on_failure", end: ".on_failure" });
  });

  it("stands circles, unknown targets and long chains", () => {
    expect(inLanes([note("a", { next: "b" }), note("b", { next: "a" })])).toEqual({ a: "", b: "" });
    expect(inLanes([note("a", { next: "gone" }), note("b")])).toEqual({ a: "", b: "" });
    const many = Array.from({ length: 1000 }, (_, index) => note(`s${index}`));
    expect(placesOf(many)).toHaveLength(1000);
  });

  it("tells that a wait ends its path when nothing comes", () => {
    const wait = { id: "w", wait_for_event: "a", timeout: "1d", on_timeout: null };
    expect(waysOf([wait, note("b")], 0).map((way) => way.to)).toEqual(["b", null]);
    expect(inLanes([{ ...wait, on_timeout: "late" }, note("b", { next: null }), note("late")])).toEqual({
      w: "",
      b: "",
      late: "w.on_timeout",
    });
  });

  it("tells the ways of a split with their shares", () => {
    const split = [
      { weight: 80, next: null, name: "mail" },
      { weight: 20, next: "b" },
    ];
    expect(waysOf([{ id: "s", split }, note("b")], 0).map((way) => way.words)).toEqual(["mail · 80 %", "B · 20 %"]);
  });
});
