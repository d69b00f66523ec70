import type { AutomationDocument } from "@/api/types";
import { type Place, placesOf, type Way, waysOf } from "@/outline/lanes";
import { texts } from "@/texts";
import type { Box } from "./layout";

/** A box of the picture: what starts a run, its condition, a step at its place, an end, or what a failed run does first. */
export type Node = Box & ({ kind: "trigger" | "condition" | "failure" | "end" } | { kind: "step"; at: number });
/**
 * A link of the picture. `at` and `way` tell which way of which step it is, of how many. `isJoin` marks the end of a branch,
 * which is drawn to where the branches join.
 */
export type Edge = {
  from: string;
  to: string;
  at: number | null;
  way: Way | null;
  of: number;
  isJoin: boolean;
};
export type Graph = { nodes: Node[]; edges: Edge[] };

export const NODE_WIDTH = 236;
export const NODE_HEIGHT = 58;
const sizes = {
  trigger: { width: NODE_WIDTH, height: 46 },
  condition: { width: NODE_WIDTH, height: 46 },
  failure: { width: 180, height: 34 },
  step: { width: NODE_WIDTH, height: NODE_HEIGHT },
  end: { width: 18, height: 18 },
};

export const stepNode = (at: number) => `step:${at}`;

/** The whole document as boxes and links. A way that leads nowhere has an end of its own. */
export function graphOf(document: AutomationDocument): Graph {
  const { steps } = document;
  const places = placesOf(steps, document.on_failure);
  const byId = new Map(steps.map((step, at) => [step.id, at]));
  const nodes: Node[] = [
    { id: "trigger", kind: "trigger", ...sizes.trigger },
    { id: "condition", kind: "condition", ...sizes.condition },
    ...steps.map((_, at): Node => ({ id: stepNode(at), kind: "step", at, ...sizes.step })),
  ];
  const edges: Edge[] = [plain("trigger", "condition")];
  if (steps.length) edges.push(plain("condition", stepNode(0)));
  steps.forEach((step, at) => {
    const ways = waysOf(steps, at);
    for (const way of ways) {
      const join = way.to === null ? joinOf(document, places[at], byId) : undefined;
      const target = way.to === null ? join : byId.get(way.to);
      if (way.to !== null && target === undefined) continue;
      const to = target === undefined ? `end:${step.id}.${way.field}` : stepNode(target);
      if (target === undefined) nodes.push({ id: to, kind: "end", ...sizes.end });
      edges.push({ from: stepNode(at), to, at, way, of: ways.length, isJoin: join !== undefined });
    }
  });
  const failed = byId.get(document.on_failure ?? "");
  if (failed !== undefined) {
    nodes.push({ id: "failure", kind: "failure", ...sizes.failure });
    edges.push(plain("failure", stepNode(failed)));
  }
  return { nodes, edges };
}

const plain = (from: string, to: string): Edge => ({ from, to, at: null, way: null, of: 1, isJoin: false });

/** Where the branches join that a step stands in, when its path ends there. */
function joinOf(document: AutomationDocument, place: Place | undefined, byId: Map<string, number>): number | undefined {
  const lane = place?.lanes.findLast((one) => one.way.field.startsWith("parallel"));
  const fork = lane && document.steps[byId.get(lane.of) ?? -1];
  return fork?.next ? byId.get(fork.next) : undefined;
}

/** What stands at a link: nothing where a step has only one way. */
export function edgeWords(edge: Edge, document: AutomationDocument): string {
  if (!edge.way || edge.at === null) return "";
  const step = document.steps[edge.at];
  if (edge.way.field !== "next") return edge.way.words;
  if (step?.parallel) {
    const { all, any, some } = texts.steps.forkNext;
    return typeof step.join === "number" ? some(step.join) : step.join === "any" ? any : all;
  }
  return edge.of > 1 ? edge.way.words : "";
}
