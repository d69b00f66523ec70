import type { AutomationDocument, RunStep } from "@/api/types";
import { placesOf } from "@/outline/lanes";

/**
 * A step of a run as it is shown: how deep it stands in branches, the items it was done for, and the rounds of its circle
 * before the one that `step` is.
 */
export type Grouped = { step: RunStep; title: string; depth: number; items: RunStep[]; rounds: RunStep[] };

const ITEM = /^(.*)\[(\d*)\]$/s;

/**
 * The steps in the order of the document, those of a branch further in; the items of a list and the rounds of a circle stand
 * under their step. What the document does not know, such as the steps of a function, follows in its own order.
 */
export function grouped(steps: RunStep[], document: AutomationDocument | null): Grouped[] {
  const lists = new Set(steps.filter((step) => step.kind === "for_each").map((step) => baseOf(step)));
  const known = document?.steps ?? [];
  const depths = placesOf(known, document?.on_failure).map((place) => place.lanes.length);
  const order = new Map(known.map((step, at) => [step.id, at]));
  const groups = new Map<string, Grouped>();
  for (const step of steps) {
    const match = ITEM.exec(step.id);
    const base = match && lists.has(baseOf(step)) ? baseOf(step) : null;
    const title = base ?? step.step_id ?? step.id;
    const depth = depths[order.get(title) ?? -1] ?? 0;
    const group = groups.get(title) ?? { step, title, depth, items: [], rounds: [] };
    if (base !== null && match?.[2]) group.items.push(step);
    else if (roundOf(step) !== roundOf(group.step)) {
      const [before, latest] = roundOf(step) > roundOf(group.step) ? [group.step, step] : [step, group.step];
      if (!before.id.endsWith("[]")) group.rounds.push(before);
      group.step = latest;
    } else group.step = merged(group.step, step);
    groups.set(title, group);
  }
  for (const group of groups.values()) {
    group.items.sort((a, b) => roundOf(a) - roundOf(b) || placeOf(a) - placeOf(b));
    group.rounds.sort((a, b) => roundOf(b) - roundOf(a));
  }
  const at = (group: Grouped) => order.get(group.title) ?? known.length;
  return [...groups.values()].sort((a, b) => at(a) - at(b));
}

const baseOf = (step: RunStep) => step.step_id ?? step.id.replace(/\[\d*\]$/, "");
const roundOf = (step: RunStep) => step.round ?? 1;
const placeOf = (item: RunStep) => Number(ITEM.exec(item.id)?.[2] ?? 0);

/** Of a step that takes its list first and ends later, the end with the time of both. */
function merged(before: RunStep, step: RunStep): RunStep {
  if (before === step || before.kind !== "for_each") return step;
  const [begun, ended] = step.id.endsWith("[]") ? [step, before] : [before, step];
  return { ...ended, started_at: begun.started_at ?? ended.started_at };
}

/** How many of the items stand how, in the order in which that matters. */
export function counted(items: RunStep[]): [status: string, count: number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item.status, (counts.get(item.status) ?? 0) + 1);
  const first = ["failed", "unknown", "running", "waiting", "pending", "ready", "cancelled", "skipped", "completed"];
  return first.flatMap((status): [string, number][] => {
    const count = counts.get(status);
    return count ? [[status, count]] : [];
  });
}
