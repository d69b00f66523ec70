import type { Json } from "@/api/types";

const isObject = (value: Json): value is { [key: string]: Json } =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The names of the fields that differ between two states; none when one of them does not exist. */
export function changedFields(before: Json, after: Json): string[] {
  if (!isObject(before) || !isObject(after)) return [];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** The name of what was changed, if its state holds one. */
export function nameIn(state: Json): string | null {
  if (!isObject(state)) return null;
  const named = typeof state.name === "string" ? state : (state.document ?? null);
  return isObject(named) && typeof named.name === "string" ? `“${named.name}”` : null;
}
