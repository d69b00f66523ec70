import type { AutomationItem } from "@/api/types";

/** Whether the text is anywhere in the automation: its name, event, condition, actions or their arguments. */
export function matches(item: AutomationItem, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return true;
  const { name, description, trigger, condition, steps } = item;
  return JSON.stringify([name, description, trigger, condition, steps]).toLowerCase().includes(wanted);
}
