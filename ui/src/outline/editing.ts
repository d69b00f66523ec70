import type { StepDocument } from "@/api/types";
import { placesOf, waysOf } from "./lanes";
import { freeId, insertStep, kindOf, replaceStep } from "./model";

/** The steps after a change, and the place of the step that was added. */
export type Added = { steps: StepDocument[]; at: number };

/** The step with its way set: `next`, `if_true`, `split[1]`, `parallel[0]`, ... */
export function withWay(step: StepDocument, field: string, to: string | null | undefined): StepDocument {
  const place = /^(split|parallel)\[(\d+)\]$/.exec(field);
  if (!place) return { ...step, [field]: to };
  const at = Number(place[2]);
  if (place[1] === "split") {
    return { ...step, split: step.split?.map((path, index) => (index === at ? { ...path, next: to ?? null } : path)) };
  }
  const heads = [...(step.parallel ?? [])];
  if (to) heads[at] = to;
  else heads.splice(at, 1);
  return { ...step, parallel: heads };
}

/** What flows on by standing above another step says so, so that something may be put between. */
function pinned(steps: StepDocument[], at: number): StepDocument[] {
  const step = steps[at];
  const below = steps[at + 1]?.id ?? null;
  if (!step) return steps;
  const field = kindOf(step) === "branch" ? "if_true" : "next";
  const says = ["stop", "split", "parallel"].includes(kindOf(step)) || step[field] !== undefined;
  return says ? steps : replaceStep(steps, at, { ...step, [field]: below });
}

/** The new step leading on to `to`; undefined leaves it to flow to the step below, which is `below`. */
function leadingTo(step: StepDocument, to: string | null | undefined, below: string | null): StepDocument {
  const said = to === undefined ? below : to;
  switch (kindOf(step)) {
    case "stop":
      return step;
    case "branch":
      return to === undefined ? step : { ...step, if_true: to };
    case "parallel":
      return { ...step, next: said };
    case "split":
      return { ...step, split: step.split?.map((path) => ({ ...path, next: said })) };
    default:
      return to === undefined ? step : { ...step, next: to };
  }
}

/** Whether a step can be put right below this one, so that this one leads to it. */
export function canAddBelow(steps: StepDocument[], at: number): boolean {
  const step = steps[at];
  if (!step || ["stop", "split", "parallel"].includes(kindOf(step))) return false;
  return kindOf(step) !== "branch" || step.if_true === undefined || step.if_true === steps[at + 1]?.id;
}

/** Puts a step between this one and where it leads. */
export function addBelow(steps: StepDocument[], at: number, step: StepDocument): Added {
  const above = steps[at] as StepDocument;
  const below = steps[at + 1]?.id ?? null;
  const field = kindOf(above) === "branch" ? "if_true" : "next";
  const said = above[field] as string | null | undefined;
  const target = said === below ? undefined : said;
  const flowing = { ...above };
  delete flowing[field];
  const put = leadingTo(step, target, below);
  return { steps: insertStep(replaceStep(steps, at, flowing), at + 1, put), at: at + 1 };
}

/** Puts a step before all others: the run begins with it. */
export function addFirst(steps: StepDocument[], step: StepDocument): Added {
  return { steps: [leadingTo(step, undefined, steps[0]?.id ?? null), ...steps], at: 0 };
}

/** Adds a step that one way of this step leads to; it goes on to where that way led. */
export function addOnWay(steps: StepDocument[], at: number, field: string, step: StepDocument): Added {
  const owner = steps[at] as StepDocument;
  const to = waysOf(steps, at).find((way) => way.field === field)?.to ?? null;
  const end = endOf(steps, at);
  const kept = pinned(steps, end);
  const put = leadingTo(step, to, null);
  const led = replaceStep(kept, at, withWay(kept[at] ?? owner, field, step.id));
  return { steps: insertStep(led, end + 1, put), at: end + 1 };
}

/** The last step of all that stands in a lane of this one. */
function endOf(steps: StepDocument[], at: number): number {
  const id = steps[at]?.id;
  const places = placesOf(steps);
  let end = at;
  places.forEach((place, index) => {
    if (index > end && place.lanes.some((lane) => lane.of === id)) end = index;
  });
  return end;
}

/** Adds a step after all others: where the main line ends, also behind a parallel step's branches. */
export function append(steps: StepDocument[], step: StepDocument, onFailure?: string | null): Added {
  if (steps.length === 0) return { steps: [step], at: 0 };
  const places = placesOf(steps, onFailure);
  const main = places.findLastIndex((place) => place.lanes.length === 0);
  const last = steps[main];
  if (last && kindOf(last) === "parallel" && !last.next) return addOnWay(steps, main, "next", step);
  if (canAddBelow(steps, main)) return addBelow(steps, main, step);
  const end = steps.length - 1;
  return canAddBelow(steps, end)
    ? addBelow(steps, end, step)
    : { steps: insertStep(steps, end + 1, step), at: end + 1 };
}

/** Another branch of a parallel step: it ends where it ends, and the step waits for it. */
export function addBranch(steps: StepDocument[], at: number, step: StepDocument): Added {
  return addOnWay(steps, at, `parallel[${steps[at]?.parallel?.length ?? 0}]`, { ...step, id: freeId(steps, step.id) });
}

/** Adds a step that no other leads to, after all others: the first of a path that only a failure takes. */
export function addApart(steps: StepDocument[], step: StepDocument): Added {
  return { steps: [...pinned(steps, steps.length - 1), leadingTo(step, null, null)], at: steps.length };
}

/** Puts a copy of a step below it, which then leads on to where the step did. */
export function duplicate(steps: StepDocument[], at: number): Added {
  const step = steps[at] as StepDocument;
  const copy = { ...structuredClone(step), id: freeId(steps, step.id) };
  if (!canAddBelow(steps, at)) return { steps: insertStep(steps, at + 1, copy), at: at + 1 };
  delete copy.next;
  return addBelow(steps, at, copy);
}
