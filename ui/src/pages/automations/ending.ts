import type { AutomationDocument } from "@/api/types";
import { texts } from "@/texts";

/** What cancels a run before its last step, in a few words; empty when nothing does. */
export function endingWords(document: AutomationDocument): string {
  const events = (Array.isArray(document.cancel_on) ? document.cancel_on : []).map((one) => one.event).filter(Boolean);
  return events.length ? texts.ending.words(events.join(", ")) : "";
}
