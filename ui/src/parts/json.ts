import type { Json } from "@/api/types";
import { texts } from "@/texts";

export type ReadJson = { value: Json; error: null } | { value: null; error: string };

/** Reads JSON text; on failure says where, by line, when the browser tells. */
export function readJson(text: string): ReadJson {
  try {
    return { value: JSON.parse(text) as Json, error: null };
  } catch (cause) {
    const message = (cause as Error).message;
    const position = /position (\d+)/.exec(message)?.[1];
    const line = position ? text.slice(0, Number(position)).split("\n").length : null;
    return { value: null, error: texts.errors.notJson(line, message.replace(/ in JSON at position.*$/, "")) };
  }
}

/** A value in one short line, for tables and sentences. */
export function brief(value: Json | undefined, limit = 60): string {
  if (value === undefined) return texts.values.missing;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
