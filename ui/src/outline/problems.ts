import type { DryRunStep, Problem } from "@/api/types";
import { texts } from "@/texts";

/** The first thing wrong at this place of the document, or inside it. */
export function errorAt(problems: Problem[], path: string): string | undefined {
  return problems.find((one) => one.path === path || one.path.startsWith(`${path}.`) || one.path.startsWith(`${path}[`))
    ?.message;
}

/** What is wrong with the thing itself, not with something inside it. */
export function errorJustAt(problems: Problem[], path: string): string | undefined {
  return problems.find((one) => one.path === path)?.message;
}

/** What the dry run found wrong with a step's program, at the argument that holds it. */
export function ofProgram(dryRun: DryRunStep | undefined, step: string): Problem[] {
  const failed = dryRun?.problems?.filter((problem) => problem.code === "program_failed") ?? [];
  return failed.map((problem) => ({
    ...problem,
    path: `${step}.with.source`,
    message: texts.inspector.withSample(problem.message),
  }));
}
