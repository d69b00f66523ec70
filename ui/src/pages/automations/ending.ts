import type { AutomationDocument, Operator } from "@/api/types";
import { inWords } from "@/condition-builder/words";
import { texts } from "@/texts";

/** What ends a run before its last step, in a few words; empty when nothing does. */
export function endingWords(document: AutomationDocument, operators: Operator[] = []): string {
  const events = (Array.isArray(document.cancel_on) ? document.cancel_on : []).map((one) => one.event).filter(Boolean);
  const [goal, exit] = [inWords(document.goal, operators), inWords(document.exit, operators)];
  return [
    goal && texts.ending.words.goal(goal),
    exit && texts.ending.words.exit(exit),
    events.length > 0 && texts.ending.words.cancelOn(events.join(", ")),
  ]
    .filter(Boolean)
    .join("; ");
}
