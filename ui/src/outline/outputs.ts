import type { StepDocument } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { texts } from "@/texts";
import { errorPath, kindOf, outputPath } from "./model";

/** What earlier steps leave behind, for conditions and placeholders. */
export function outputsBefore(steps: StepDocument[], at: number): Fact[] {
  const leaves = (step: StepDocument) => !["branch", "delay", "stop"].includes(kindOf(step));
  return steps
    .slice(0, at)
    .flatMap((step): Fact[] => [
      ...(leaves(step) ? [{ path: outputPath(step.id), type: null, title: texts.form.fromStep(step.id) }] : []),
      ...(step.on_failure ? [{ path: errorPath(step.id), type: "string", title: texts.steps.errorOf(step.id) }] : []),
    ]);
}
