import type { DryRun } from "@/api/automations";
import type { AutomationDocument, Problem } from "@/api/types";
import { isSaid } from "../trigger";

const STAND_IN = "\u2026";

/**
 * The document to try while it is still being built: a missing name or steps that are not ready are stood in for, so that
 * the condition can be tried already. Null while the trigger or the condition itself is not usable.
 */
export function tryable(document: AutomationDocument, problems: Problem[]): AutomationDocument | null {
  if (!isSaid(document.trigger)) return null;
  const standsAt = (start: string) => problems.some((problem) => problem.path.startsWith(start));
  const others = problems.filter((problem) => !/^(name|steps|description)/.test(problem.path));
  if (others.length > 0) return null;
  const steps = standsAt("steps") ? [{ id: STAND_IN, stop: true }] : document.steps;
  return { ...document, name: standsAt("name") ? STAND_IN : document.name, steps };
}

/** The dry run without the step that stood in. */
export function withoutStandIn(dryRun: DryRun | undefined): DryRun | undefined {
  return dryRun && { ...dryRun, steps: dryRun.steps.filter((step) => step.id !== STAND_IN) };
}
