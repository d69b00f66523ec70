import type { AutomationDocument, Json, StepDocument } from "@/api/types";

/** Two documents that were made from one, put together. `both` names what both changed, each in its own way: mine stays. */
export type Merged = { document: AutomationDocument; both: string[] };

type Fields = Record<string, unknown>;

const NOTHING = Symbol("left out");
const textOf = (value: unknown) => (value === NOTHING ? "" : JSON.stringify(value));
const same = (one: unknown, other: unknown) => textOf(one) === textOf(other);

/** My changes and theirs in one document: field by field, the steps by their ids and each of them field by field. */
export function merge(base: AutomationDocument, mine: AutomationDocument, theirs: AutomationDocument): Merged {
  const both: string[] = [];
  const { steps: _base, ...baseRest } = base;
  const { steps: _mine, ...mineRest } = mine;
  const { steps: _theirs, ...theirsRest } = theirs;
  const rest = mergeFields(baseRest, mineRest, theirsRest, (name) => both.push(name));
  const steps = mergeSteps(base.steps, mine.steps, theirs.steps, (place) => both.push(place));
  return { document: { ...rest, steps } as unknown as AutomationDocument, both };
}

function mergeFields(base: Fields, mine: Fields, theirs: Fields, clash: (name: string) => void): Fields {
  const merged: Fields = {};
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const at = (fields: Fields) => (name in fields && fields[name] !== undefined ? fields[name] : NOTHING);
    const kept = choose(at(base), at(mine), at(theirs), () => clash(name));
    if (kept !== NOTHING) merged[name] = kept as Json;
  }
  return merged;
}

/** What one side changed; what both changed differently stays as it is here. */
function choose<T>(base: T, mine: T, theirs: T, clash: () => void): T {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  clash();
  return mine;
}

function mergeSteps(
  base: StepDocument[],
  mine: StepDocument[],
  theirs: StepDocument[],
  clash: (place: string) => void,
): StepDocument[] {
  const byId = (steps: StepDocument[]) => new Map(steps.map((step) => [step.id, step]));
  const [was, here, there] = [byId(base), byId(mine), byId(theirs)];
  const merged = new Map<string, StepDocument>();
  for (const id of orderOf(base, mine, theirs)) {
    const [before, ours, other] = [was.get(id), here.get(id), there.get(id)];
    if (ours && other) {
      const whole = mergeFields(before ?? {}, ours, other, (name) => clash(`${id}: ${name}`));
      merged.set(id, whole as StepDocument);
      continue;
    }
    const left = ours ?? other;
    if (!left || same(before ?? null, left)) continue; // one side took it out, the other left it as it was
    if (before) clash(id); // taken out on one side and changed on the other: what somebody worked on stays
    merged.set(id, left);
  }
  return [...merged.values()];
}

/** All the ids that are left or new, in the order of the side that moved some; new ones stand after what they stood after. */
function orderOf(base: StepDocument[], mine: StepDocument[], theirs: StepDocument[]): string[] {
  const ids = (steps: StepDocument[]) => steps.map((step) => step.id);
  const common = (steps: StepDocument[], others: StepDocument[]) =>
    ids(steps).filter((id) => others.some((one) => one.id === id));
  const isMoved = !same(common(mine, base), common(base, mine));
  const [first, second] = isMoved ? [ids(mine), ids(theirs)] : [ids(theirs), ids(mine)];
  const order = [...first];
  second.forEach((id, at) => {
    if (order.includes(id)) return;
    const above = second.slice(0, at).findLast((one) => order.includes(one));
    order.splice(above === undefined ? 0 : order.indexOf(above) + 1, 0, id);
  });
  return order;
}
