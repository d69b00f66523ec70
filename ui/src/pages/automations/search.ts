import type { AutomationItem } from "@/api/types";

/** What a list of automations is narrowed down to. */
export type Wanted = { q?: string; status?: string; folder?: string; tag?: string };

/** Whether the text is anywhere in the automation: its name, event, condition, actions or their arguments. */
export function matches(item: AutomationItem, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return true;
  const { name, description, trigger, condition, steps, folder, tags } = item;
  return JSON.stringify([name, description, trigger, condition, steps, folder, tags]).toLowerCase().includes(wanted);
}

/** Whether the automation is among those that are wanted, archived ones only if they are asked for; a folder holds what is in
 * the ones below it. */
export function isWanted(item: AutomationItem, wanted: Wanted): boolean {
  const folder = item.folder ?? "";
  return (
    matches(item, wanted.q ?? "") &&
    (wanted.status ? item.status === wanted.status : item.status !== "archived") &&
    (!wanted.folder || folder === wanted.folder || folder.startsWith(`${wanted.folder}/`)) &&
    (!wanted.tag || (item.tags ?? []).includes(wanted.tag))
  );
}

/** The values that occur, each with how often, in order. */
export function counted(values: string[]): { value: string; title: string; count: number }[] {
  return [...new Set(values)]
    .sort()
    .map((value) => ({ value, title: value, count: values.filter((one) => one === value).length }));
}
