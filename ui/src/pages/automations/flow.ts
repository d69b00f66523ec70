import type { Json, JsonObject } from "@/api/types";
import { texts } from "@/texts";

/** The controls of a flow, in the order in which they decide, each with its fields. */
export const CONTROLS = {
  once: ["key", "per"],
  rate_limit: ["key", "limit", "per"],
  debounce: ["key", "for", "max"],
  batch: ["key", "size", "within"],
  throttle: ["key", "limit", "per"],
  concurrency: ["key", "limit"],
} as const;
export type Control = keyof typeof CONTROLS;
export type ControlField = (typeof CONTROLS)[Control][number];
export const controlNames = Object.keys(CONTROLS) as Control[];

const STARTS: Record<Control, JsonObject> = {
  once: { per: "1d" },
  rate_limit: { limit: 10, per: "1h" },
  debounce: { for: "5m" },
  batch: { size: 50, within: "10m" },
  throttle: { limit: 10, per: "1m" },
  concurrency: { limit: 1 },
};

export function controlOf(flow: JsonObject | null | undefined, name: string): JsonObject | null {
  const given = flow?.[name];
  return given !== null && typeof given === "object" && !Array.isArray(given) ? given : null;
}

/** The flow with this control on, with what it needs to begin with, or off; none when it says nothing any more. */
export function withControl(flow: JsonObject | null | undefined, name: Control, on: boolean): JsonObject | undefined {
  return withSaid(flow, name, on ? STARTS[name] : undefined);
}

/** The flow with one field of a control, or without it. */
export function withField(flow: JsonObject | null | undefined, name: Control, field: string, value: Json | undefined) {
  const { [field]: _, ...rest } = controlOf(flow, name) ?? {};
  return withSaid(flow, name, value === undefined ? rest : { ...rest, [field]: value });
}

export function withSaid(flow: JsonObject | null | undefined, name: string, value: Json | undefined) {
  const { [name]: _, ...rest } = flow ?? {};
  const said: JsonObject = value === undefined ? rest : { ...rest, [name]: value };
  return Object.keys(said).length ? said : undefined;
}

/** What limits the runs, in a few words; nothing when nothing does. */
export function flowWords(flow: JsonObject | null | undefined): string {
  const names: string[] = controlNames
    .filter((name) => flow?.[name] !== undefined)
    .map((name) => texts.flow.controls[name].title);
  if (flow?.reentry && flow.reentry !== "allow") names.push(texts.flow.reentry);
  return names.join(", ");
}
