import type { StepDocument } from "@/api/types";
import { texts } from "@/texts";
import { kindOf } from "./model";

/** One way on from a step: the field that says it, what to call it, and the step it leads to; null is the end. */
export type Way = { field: string; words: string; to: string | null; tone?: "good" | "bad" };

/** Every way on from the step at this place, in the order of its fields. */
export function waysOf(steps: StepDocument[], at: number): Way[] {
  const step = steps[at];
  if (!step) return [];
  const below = steps[at + 1]?.id ?? null;
  const mayEnd = step.wait_for_event !== undefined || step.call !== undefined;
  const isSaid = { on_timeout: mayEnd && step.on_timeout === null, on_failure: false };
  const others: Way[] = (["on_timeout", "on_failure"] as const).flatMap((field) =>
    step[field] || isSaid[field]
      ? [{ field, words: texts.steps.ways[field], to: step[field] ?? null, tone: "bad" as const }]
      : [],
  );
  const next: Way = {
    field: "next",
    words: texts.steps.ways.next,
    to: step.next === undefined ? below : (step.next ?? null),
  };
  switch (kindOf(step)) {
    case "branch":
      return [
        {
          field: "if_true",
          words: texts.steps.true,
          to: step.if_true === undefined ? below : step.if_true,
          tone: "good",
        },
        { field: "if_false", words: texts.steps.false, to: step.if_false ?? null, tone: "bad" },
      ];
    case "split":
      return listed(step.split).map((path, index) => ({
        field: `split[${index}]`,
        words: pathWords(step, index),
        to: path.next ?? null,
      }));
    case "parallel":
      return [
        ...listed(step.parallel).map((head, index) => ({
          field: `parallel[${index}]`,
          words: texts.steps.branchOf(index + 1, listed(step.parallel).length),
          to: head,
        })),
        { ...next, to: step.next ?? null },
        ...others,
      ];
    case "stop":
      return [];
    default:
      return [next, ...others];
  }
}

const listed = <T>(value: T[] | undefined): T[] => (Array.isArray(value) ? value : []);

/** A path of a split: its name, or its letter, with its share of all. */
export function pathWords(step: StepDocument, index: number): string {
  const paths = listed(step.split);
  const all = paths.reduce((sum, path) => sum + (Number(path.weight) || 0), 0);
  const share = all > 0 ? Math.round(((Number(paths[index]?.weight) || 0) / all) * 1000) / 10 : 0;
  return texts.steps.path(paths[index]?.name || String.fromCharCode(65 + index), share);
}

/** A part of the outline that only one way of one step leads to. */
export type Lane = { of: string; way: Way };
/** Where a step stands: in which lanes, outermost first; and of which parallel step the branches join at it. */
export type Place = { lanes: Lane[]; joins: string | null };

/**
 * The place of each step. A step is in a lane when every path to it takes that way: it is found by dominators over the steps
 * and their ways, so that it is right for any graph, also one whose ways meet again. A way that is the only one to go on
 * opens no lane: what stands below "if not: end the run" stays in line.
 */
export function placesOf(steps: StepDocument[], onFailure?: string | null): Place[] {
  const graph = graphOf(steps, onFailure);
  const above = dominators(graph.next);
  const joins = new Map(
    steps.flatMap((step): [string, string][] =>
      kindOf(step) === "parallel" && typeof step.next === "string" ? [[step.next, step.id]] : [],
    ),
  );
  return steps.map((step, at) => {
    const lanes: Lane[] = [];
    for (let node = graph.nodeOf[at]; node !== undefined && node > 0; node = above[node]) {
      const lane = graph.lanes.get(node);
      if (lane) lanes.unshift(lane);
    }
    return { lanes, joins: joins.get(step.id) ?? null };
  });
}

/** Node 0 is the start; each step has a node, and so has each way that opens a lane. */
function graphOf(steps: StepDocument[], onFailure?: string | null) {
  const next: number[][] = [[], ...steps.map(() => [])];
  const nodeOf = steps.map((_, at) => at + 1);
  const byId = new Map(steps.map((step, at) => [step.id, at + 1]));
  const lanes = new Map<number, Lane>();
  const lead = (from: number, to: number, lane: Lane | null) => {
    if (!lane) return next[from]?.push(to);
    const node = next.push([to]) - 1;
    next[from]?.push(node);
    lanes.set(node, lane);
  };
  if (steps.length) lead(0, 1, null);
  const failed = onFailure ? byId.get(onFailure) : undefined;
  const way = { field: "on_failure", words: texts.steps.ways.runFails, to: onFailure ?? null, tone: "bad" as const };
  if (failed) lead(0, failed, { of: "", way });
  steps.forEach((step, at) => {
    const ways = waysOf(steps, at);
    const further = ways.filter((one) => one.to !== null && byId.has(one.to));
    for (const one of further) {
      const isAside = /^(parallel|on_)/.test(one.field);
      const opens = one.field !== "next" && (further.length > 1 || isAside);
      lead(at + 1, byId.get(one.to as string) as number, opens ? { of: step.id, way: one } : null);
    }
  });
  return { next, nodeOf, lanes };
}

/** The immediate dominator of each node that node 0 leads to (Cooper, Harvey and Kennedy's way). */
function dominators(next: number[][]): (number | undefined)[] {
  const order = postorder(next);
  const rank = new Map(order.map((node, index) => [node, index]));
  const before: number[][] = next.map(() => []);
  for (const node of order) for (const to of next[node] ?? []) before[to]?.push(node);
  const above: (number | undefined)[] = next.map(() => undefined);
  above[0] = 0;
  const meet = (one: number, other: number): number => {
    let [a, b] = [one, other];
    while (a !== b) {
      if ((rank.get(a) as number) < (rank.get(b) as number)) a = above[a] as number;
      else b = above[b] as number;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of order.toReversed()) {
      if (node === 0) continue;
      const known = (before[node] ?? []).filter((from) => above[from] !== undefined);
      const found = known.reduce((a, b) => meet(a, b));
      if (above[node] !== found) {
        above[node] = found;
        changed = true;
      }
    }
  }
  above[0] = undefined;
  return above;
}

function postorder(next: number[][]): number[] {
  const order: number[] = [];
  const seen = new Set([0]);
  const open: { node: number; at: number }[] = [{ node: 0, at: 0 }];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const to = next[top.node]?.[top.at];
    top.at += 1;
    if (to === undefined) order.push((open.pop() as { node: number }).node);
    else if (!seen.has(to)) {
      seen.add(to);
      open.push({ node: to, at: 0 });
    }
  }
  return order;
}

/** Whether the step stands in a branch of a parallel step, whose end is not that of the run. */
export function isInBranch(place: Place | undefined): boolean {
  return place?.lanes.some((lane) => lane.way.field.startsWith("parallel")) ?? false;
}

/** The lanes that begin with this step: those it is in and the one above it is not. */
export function opened(places: Place[], at: number): Lane[] {
  const before = new Set(places[at - 1]?.lanes);
  return (places[at]?.lanes ?? []).filter((lane) => !before.has(lane));
}
