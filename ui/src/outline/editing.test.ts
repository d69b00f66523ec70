import { describe, expect, it } from "vitest";
import type { StepDocument } from "@/api/types";
import { addApart, addBelow, addBranch, addOnWay, append, canAddBelow, duplicate, withWay } from "./editing";
import { waysOf } from "./lanes";
import { newStep } from "./model";

const note = (id: string, more: Partial<StepDocument> = {}): StepDocument => ({ id, action: "create_note", ...more });
const flow = (steps: StepDocument[]) =>
  Object.fromEntries(steps.map((step, at) => [step.id, waysOf(steps, at).map((way) => way.to)]));

describe("adding a step", () => {
  it("below another takes over where that one led", () => {
    const { steps, at } = addBelow([note("a", { next: "c" }), note("b", { next: null }), note("c")], 0, note("new"));
    expect(at).toBe(1);
    expect(flow(steps)).toEqual({ a: ["new"], new: ["c"], b: [null], c: [null] });
  });

  it("on a way goes on to where the way led, and takes nothing from its neighbours", () => {
    const branch: StepDocument = { id: "which", branch: { combinator: "and", rules: [] }, if_false: null };
    const { steps } = addOnWay([branch, note("yes")], 0, "if_false", note("no"));
    expect(flow(steps)).toEqual({ which: ["yes", "no"], no: [null], yes: [null] });
  });

  it("as a branch of a parallel step stands behind the branches before it", () => {
    let steps = [newStep([], "parallel"), note("end")].map((step) => (step.parallel ? { ...step, next: "end" } : step));
    steps = addBranch(steps, 0, note("x")).steps;
    const second = addBranch(steps, 0, note("y"));
    expect(second.steps.map((step) => step.id)).toEqual(["at once", "x", "y", "end"]);
    expect(flow(second.steps)).toEqual({ "at once": ["x", "y", "end"], x: [null], y: [null], end: [null] });
  });

  it("at the end goes on behind what is at once", () => {
    let steps = [newStep([], "parallel")];
    steps = addBranch(steps, 0, note("x")).steps;
    steps = append(steps, note("done")).steps;
    expect(flow(steps)).toEqual({ "at once": ["x", "done"], x: [null], done: [null] });
    expect(flow(append(steps, note("more")).steps).done).toEqual(["more"]);
  });

  it("at the end follows a last step that said it was the last", () => {
    expect(flow(append([note("a", { next: null })], note("b")).steps)).toEqual({ a: ["b"], b: [null] });
    expect(append([], note("a"))).toEqual({ steps: [note("a")], at: 0 });
  });

  it("is not offered below what leads nowhere by itself", () => {
    expect(canAddBelow([{ id: "s", stop: true }], 0)).toBe(false);
    expect(canAddBelow([note("a")], 0)).toBe(true);
  });

  it("apart from all others is led to by none", () => {
    expect(flow(addApart([note("a")], note("sorry")).steps)).toEqual({ a: [null], sorry: [null] });
    expect(addApart([], note("sorry")).steps).toHaveLength(1);
  });

  it("as a copy of another stands between it and where it led", () => {
    const { steps, at } = duplicate([note("a", { next: null }), note("b")], 0);
    expect(at).toBe(1);
    expect(flow(steps)).toEqual({ a: ["a 2"], "a 2": [null], b: [null] });
    expect(duplicate([{ id: "s", stop: true }], 0).steps).toHaveLength(2);
  });

  it("sets ways of every kind", () => {
    const split = withWay({ id: "s", split: [{ weight: 1, next: null }] }, "split[0]", "a");
    expect(split.split).toEqual([{ weight: 1, next: "a" }]);
    expect(withWay({ id: "p", parallel: ["a", "b"] }, "parallel[0]", null).parallel).toEqual(["b"]);
  });
});
