import type { AutomationDocument, Operator } from "@/api/types";
import { inWords } from "@/condition-builder/words";
import { texts } from "@/texts";

/** What ends a run before its last step, in a few words; empty when nothing does. */
export function endingWords(document: AutomationDocument, operators: Operator[]): string {
  const events = (Array.isArray(document.cancel_on) ? document.cancel_on : []).map((one) => one.event).filter(Boolean);
  const { words } = texts.ending;
  const goal = inWords(document.goal, operators);
  const exit = inWords(document.exit, operators);
  return [events.length && words.cancelOn(events.join(", ")), goal && words.goal(goal), exit && words.exit(exit)]
    .filter(Boolean)
    .join("; ");
}
