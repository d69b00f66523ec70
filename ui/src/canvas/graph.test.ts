import { describe, expect, it } from "vitest";
import type { AutomationDocument, StepDocument } from "@/api/types";
import { edgeWords, graphOf } from "./graph";

const of = (steps: StepDocument[], more: Partial<AutomationDocument> = {}): AutomationDocument => ({
  ...{ name: "a", trigger: { event: "x" }, priority: 5, condition: null, steps, ...more },
});
const links = (document: AutomationDocument) => graphOf(document).edges.map((edge) => `${edge.from} ${edge.to}`);
const log = (id: string, more: Partial<StepDocument> = {}): StepDocument => ({ id, action: "log", with: {}, ...more });

describe("a document as a picture", () => {
  it("leads from what starts it to every end", () => {
    const branch = { id: "b", branch: { combinator: "and" as const, rules: [] }, if_true: "x", if_false: null };
    expect(links(of([branch, log("x")]))).toEqual([
      "trigger condition",
      "condition step:0",
      "step:0 step:1",
      "step:0 end:b.if_false",
      "step:1 end:x.next",
    ]);
  });

  it("leads the ends of branches to where they join", () => {
    const document = of([
      { id: "both", parallel: ["x", "y"], next: "z", join: "any" },
      log("x", { next: null }),
      log("y", { next: "z" }),
      log("z"),
    ]);
    const { edges } = graphOf(document);
    expect(links(document).slice(2)).toEqual([
      ...["step:0 step:1", "step:0 step:2", "step:0 step:3", "step:1 step:3", "step:2 step:3", "step:3 end:z.next"],
    ]);
    expect(edges.filter((edge) => edge.isJoin).map((edge) => edge.from)).toEqual(["step:1"]);
    expect(edges.slice(2, 5).map((edge) => edgeWords(edge, document))).toEqual([
      "branch 1 of 2",
      "branch 2 of 2",
      "when the first has ended",
    ]);
  });

  it("shows a way back, and what a failed run does first; a way to what is not there is none", () => {
    const document = of([log("a"), log("b", { next: "a" }), log("sorry", { next: "gone" })], { on_failure: "sorry" });
    expect(links(document).slice(2)).toEqual(["step:0 step:1", "step:1 step:0", "failure step:2"]);
  });
});
