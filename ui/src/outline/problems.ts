import type { Problem } from "@/api/types";

/** The first thing wrong at this place of the document, or inside it. */
export function errorAt(problems: Problem[], path: string): string | undefined {
  return problems.find((one) => one.path === path || one.path.startsWith(`${path}.`) || one.path.startsWith(`${path}[`))
    ?.message;
}

/** What is wrong with the thing itself, not with something inside it. */
export function errorJustAt(problems: Problem[], path: string): string | undefined {
  return problems.find((one) => one.path === path)?.message;
}
