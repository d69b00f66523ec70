import type { BulkRuns, Repeat } from "@/api/runs";
import { texts } from "@/texts";

/** A step without which item or round of it: `each[3]` and `remind:2` are `each` and `remind`. */
const stepOf = (place: string) => place.replace(/\[\d*\]$/s, "").replace(/:\d+$/s, "");

/** What several batches tell, as one. The count is that of the first: all that there are. */
export function summed(batches: BulkRuns[]): BulkRuns | null {
  const [first] = batches;
  const last = batches.at(-1);
  if (!first || !last) return null;
  const repeats = new Map<string, Repeat>();
  for (const repeat of batches.flatMap((batch) => batch.repeats)) {
    const key = `${repeat.automation} ${repeat.step}`;
    repeats.set(key, { ...repeat, runs: repeat.runs + (repeats.get(key)?.runs ?? 0) });
  }
  return {
    ...last,
    count: first.count,
    done: batches.reduce((sum, batch) => sum + batch.done, 0),
    refused: batches.reduce((sum, batch) => sum + batch.refused, 0),
    until: first.until,
    problems: batches.flatMap((batch) => batch.problems).slice(0, 20),
    repeats: [...repeats.values()],
  };
}

/** How many runs these batches have looked at. */
export const seen = (batches: BulkRuns[]): number => (batches[0]?.count ?? 0) - (batches.at(-1)?.left ?? 0);

/** The effects that happen again, a line for each step, the most often first; all items of a list, and all rounds, in one. */
export function effectWords(repeats: Repeat[], nameOf: (automation: string) => string): string[] {
  const lines = new Map<string, { step: string; automation: string; times: number }>();
  for (const { automation, step, runs } of repeats) {
    const key = `${automation} ${stepOf(step)}`;
    const before = lines.get(key)?.times ?? 0;
    lines.set(key, { step: stepOf(step), automation, times: before + runs });
  }
  return [...lines.values()]
    .sort((one, other) => other.times - one.times)
    .map((line) => texts.runs.bulk.effect(line.step, nameOf(line.automation), line.times));
}
