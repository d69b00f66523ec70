import type { AutomationDocument, RunStep } from "@/api/types";
import { placesOf } from "@/outline/lanes";

/** A step of a run as it is shown: how deep it stands in branches, and the items it was done for. */
export type Grouped = { step: RunStep; title: string; depth: number; items: RunStep[] };

const ITEM = /^(.*)\[(\d*)\]$/s;

/**
 * The steps in the order of the document, those of a branch further in; the items of a list stand under their step. What
 * the document does not know, such as the steps of a function, follows in its own order.
 */
export function grouped(steps: RunStep[], document: AutomationDocument | null): Grouped[] {
  const lists = new Set(steps.filter((step) => step.kind === "for_each").map((step) => step.id.replace(/\[\]$/, "")));
  const known = document?.steps ?? [];
  const depths = placesOf(known, document?.on_failure).map((place) => place.lanes.length);
  const order = new Map(known.map((step, at) => [step.id, at]));
  const groups = new Map<string, Grouped>();
  for (const step of steps) {
    const match = ITEM.exec(step.id);
    const base = match && lists.has(match[1] ?? "") ? (match[1] ?? "") : null;
    const title = base ?? step.id;
    const group = groups.get(title) ?? { step, title, depth: depths[order.get(title) ?? -1] ?? 0, items: [] };
    if (base !== null && match?.[2]) group.items.push(step);
    else group.step = merged(group.step, step, title);
    groups.set(title, group);
  }
  for (const group of groups.values()) group.items.sort((a, b) => placeOf(a) - placeOf(b));
  const at = (group: Grouped) => order.get(group.title) ?? known.length;
  return [...groups.values()].sort((a, b) => at(a) - at(b));
}

const placeOf = (item: RunStep) => Number(ITEM.exec(item.id)?.[2] ?? 0);

/** Of a step that takes its list first and ends later, the end with the time of both. */
function merged(before: RunStep, step: RunStep, title: string): RunStep {
  if (before === step || before.kind !== "for_each") return step;
  const [begun, ended] = step.id === title ? [before, step] : [step, before];
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
