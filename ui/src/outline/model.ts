import type { ActionItem, Group, Json, JsonObject, Leaf, Operator, StepDocument } from "@/api/types";
import { inWords } from "@/condition-builder/words";
import { brief } from "@/parts/json";
import { texts } from "@/texts";
import { delayWords } from "./delays";

export type StepKind =
  | "action"
  | "branch"
  | "call"
  | "delay"
  | "for_each"
  | "parallel"
  | "split"
  | "stop"
  | "wait_for_event"
  | "other";

export function kindOf(step: StepDocument): StepKind {
  if (step.branch !== undefined) return "branch";
  if (step.delay !== undefined) return "delay";
  if (step.stop !== undefined) return "stop";
  if (step.for_each !== undefined) return "for_each";
  if (step.call !== undefined) return "call";
  if (step.wait_for_event !== undefined) return "wait_for_event";
  if (step.parallel !== undefined) return "parallel";
  if (step.split !== undefined) return "split";
  return step.action === undefined ? "other" : "action";
}

/** An id no other step has: the wish itself, or the wish with a number. */
export function freeId(steps: StepDocument[], wish: string): string {
  const taken = new Set(steps.map((step) => step.id));
  if (!taken.has(wish)) return wish;
  let number = 2;
  while (taken.has(`${wish} ${number}`)) number += 1;
  return `${wish} ${number}`;
}

export function newStep(steps: StepDocument[], kind: StepKind, action?: ActionItem): StepDocument {
  if (kind === "branch") {
    const branch: Group = { combinator: "and", rules: [] };
    return { id: freeId(steps, "decide"), branch, if_false: null };
  }
  if (kind === "delay") return { id: freeId(steps, "wait"), delay: "1h" };
  if (kind === "call") return { id: freeId(steps, "call"), call: "", with: {} };
  if (kind === "stop") return { id: freeId(steps, "stop"), stop: "" };
  if (kind === "wait_for_event") {
    return { id: freeId(steps, "answer"), wait_for_event: "", timeout: "3d", on_timeout: null };
  }
  if (kind === "parallel") return { id: freeId(steps, "at once"), parallel: [], next: null };
  if (kind === "for_each") return { id: freeId(steps, "each"), for_each: "", action: action?.name ?? "", with: {} };
  if (kind === "split") {
    const half = { weight: 50, next: null };
    return { id: freeId(steps, "split"), split: [half, { ...half }] };
  }
  const name = action?.name ?? "";
  return { id: freeId(steps, name.replaceAll("_", " ") || "step"), action: name, with: defaults(action) };
}

/** The arguments an action's schema gives a value for. */
function defaults(action: ActionItem | undefined): JsonObject {
  const given: JsonObject = {};
  for (const [name, property] of Object.entries(action?.schema?.properties ?? {})) {
    if (property.default !== undefined && property.default !== null && action?.schema?.required?.includes(name)) {
      given[name] = property.default;
    }
  }
  return given;
}

export function insertStep(steps: StepDocument[], at: number, step: StepDocument): StepDocument[] {
  return [...steps.slice(0, at), step, ...steps.slice(at)];
}

export function replaceStep(steps: StepDocument[], at: number, step: StepDocument): StepDocument[] {
  return steps.map((old, index) => (index === at ? step : old));
}

export function moveStep(steps: StepDocument[], at: number, by: -1 | 1): StepDocument[] {
  const to = at + by;
  if (to < 0 || to >= steps.length) return steps;
  const next = [...steps];
  next.splice(to, 0, ...next.splice(at, 1));
  return next;
}

const targets = ["next", "if_true", "if_false", "on_timeout", "on_failure"] as const;

/** Takes a step out; what led to it now leads to where it led. */
export function removeStep(steps: StepDocument[], at: number): StepDocument[] {
  const gone = steps[at];
  if (!gone) return steps;
  const after =
    gone.next !== undefined ? gone.next : gone.if_true !== undefined ? gone.if_true : (steps[at + 1]?.id ?? null);
  return steps
    .filter((_, index) => index !== at)
    .map((step) => retarget(step, gone.id, after === gone.id ? null : after));
}

function retarget(step: StepDocument, from: string, to: string | null): StepDocument {
  const next = { ...step };
  for (const key of targets) if (next[key] === from) next[key] = to;
  if (next.split) next.split = next.split.map((path) => (path.next === from ? { ...path, next: to } : path));
  if (next.parallel) next.parallel = next.parallel.flatMap((head) => (head === from ? (to ?? []) : head));
  return next;
}

/** Gives a step another id and follows it everywhere: targets, conditions and placeholders. */
export function renameStep(steps: StepDocument[], at: number, id: string): StepDocument[] {
  const old = steps[at]?.id;
  if (old === undefined || old === id) return steps;
  const renamed = steps.map((step, index) => {
    const moved = retarget(index === at ? { ...step, id } : step, old, id);
    return mapTexts(moved as unknown as Json, (text) => renameInText(text, old, id)) as unknown as StepDocument;
  });
  return renamed.map((step, index) => ({ ...step, id: index === at ? id : (steps[index]?.id ?? step.id) }));
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const reference = (id: string) => (PLAIN.test(id) ? `steps.${id}.` : `steps[${JSON.stringify(id)}].`);

function renameInText(text: string, old: string, id: string): string {
  return text.replaceAll(reference(old), reference(id)).replaceAll(`steps[${JSON.stringify(old)}].`, reference(id));
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapTexts(inner, change)]));
}

/** The path of a step's output, as a condition or a placeholder writes it. */
export function outputPath(id: string): string {
  return `${reference(id)}output`;
}

/** The path of what a step that failed for good says about it. */
export function errorPath(id: string): string {
  return `${reference(id)}error.message`;
}

/** One line that says what a step does. */
export function summary(step: StepDocument, operators: Operator[]): string {
  switch (kindOf(step)) {
    case "branch":
      return inWords(step.branch as Group | Leaf, operators) || texts.steps.noCondition;
    case "delay":
      return delayWords(step.delay);
    case "stop":
      return typeof step.stop === "string" && step.stop ? step.stop : texts.steps.stops;
    case "parallel":
      return texts.steps.atOnce((step.parallel ?? []).join(", "));
    case "for_each":
      return texts.steps.forEach(
        step.call === undefined ? String(step.action ?? "") : texts.steps.eachCalled,
        brief(step.for_each, 60),
      );
    case "other":
      return brief({ ...step, id: undefined } as unknown as Json, 60);
    case "call":
      return texts.steps.hands(argumentsWords(step.with ?? {}), step.await === false);
    case "wait_for_event":
      return texts.steps.waitsFor(String(step.wait_for_event ?? ""), delayWords(step.timeout), Boolean(step.timeout));
    case "split":
      return texts.steps.byLot((step.split ?? []).map((path) => path.name || path.next || texts.steps.end).join(", "));
    default:
      return argumentsWords(step.with ?? {});
  }
}

function argumentsWords(given: JsonObject): string {
  const shown = Object.entries(given).filter(([, value]) => value !== "" && value !== null);
  return shown
    .slice(0, 3)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
}
