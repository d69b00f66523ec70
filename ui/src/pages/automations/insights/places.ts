import type { StepDocument } from "@/api/types";
import { partOf, type Selection } from "../editor/selection";

/** Which form of the editor an address opens: a step by its name, or another part. */
export type Place = { step?: string; part?: string };

/** Where the editor shows this path of a document with these steps. */
export function placeOf(path: string, steps: StepDocument[]): Place {
  return placeIn(partOf({ path, message: "", code: "" }), steps);
}

/** How an address says what is open in the editor. */
export function placeIn(selection: Selection, steps: StepDocument[]): Place {
  if (selection.part !== "step") return { part: selection.part };
  const id = steps[selection.at]?.id;
  return id === undefined ? {} : { step: id };
}

const PARTS = ["trigger", "condition", "flow", "ending", "settings"] as const;

/** What the editor begins with; null where the place is not there, or not there any more. */
export function selectionAt(place: Place, steps: StepDocument[]): Selection | null {
  const at = steps.findIndex((step) => step.id === place.step);
  if (at >= 0) return { part: "step", at };
  const part = PARTS.find((one) => one === place.part);
  return part ? { part } : null;
}
