import type { Backtest, BacktestKind } from "@/api/types";

type Asked = { since: string } | { cursor: string };

/** Goes through the past part by part until the end, or until it is stopped; tells what is known after each part. */
export async function goThrough(
  since: string,
  tell: (told: Backtest) => void,
  signal: AbortSignal,
  ask: (asked: Asked) => Promise<Backtest>,
): Promise<void> {
  let asked: Asked = { since };
  while (!signal.aborted) {
    const told = await ask(asked);
    if (signal.aborted) return;
    tell(told);
    if (told.next === null) return;
    asked = { cursor: told.next };
  }
}

/** The kinds of events worth showing: differences first; without another version there are none. */
export function kindsShown(told: Backtest): BacktestKind[] {
  const kinds: BacktestKind[] =
    told.against === null ? ["newly", "neither", "undecided"] : ["newly", "no_longer", "both", "neither", "undecided"];
  return kinds.filter((kind) => kind !== "undecided" || told.counts.undecided > 0);
}
