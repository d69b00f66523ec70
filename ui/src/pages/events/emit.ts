import type { EntityRef } from "@/api/types";

/** Reads `type:id`; null when it is not of that form. Only the first colon divides. */
export function readEntity(text: string): EntityRef | null {
  const at = text.indexOf(":");
  const type = text.slice(0, at).trim();
  const id = text.slice(at + 1).trim();
  return at > 0 && type && id ? { type, id } : null;
}
