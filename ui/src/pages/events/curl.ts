import type { EventItem } from "@/api/types";

/** A shell command that emits the same event again. Single quotes in the data are closed and reopened. */
export function curlOf(event: Pick<EventItem, "name" | "data" | "entity">, api: string): string {
  const { name, data, entity } = event;
  const body = JSON.stringify({ name, data, ...(entity ? { entity } : {}) }).replaceAll("'", "'\\''");
  return [
    `curl -X POST '${api}/events'`,
    `  -H 'Content-Type: application/json'`,
    `  -H "Authorization: Bearer $UPSHOT_KEY"`,
    `  -d '${body}'`,
  ].join(" \\\n");
}
