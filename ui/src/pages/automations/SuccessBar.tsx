import { Link } from "@tanstack/react-router";
import { Tip } from "@/parts/Tip";
import { texts } from "@/texts";

/** How many of its runs succeeded; leads to its insights. */
export function SuccessBar({ id, rate, count }: { id: string; rate: number | null; count: number }) {
  if (rate === null) return <span className="text-xs text-faint">{texts.automations.noRuns}</span>;
  const percent = `${Math.floor(rate * 100)}%`;
  return (
    <Tip text={texts.automations.successOf(percent, count)}>
      <Link
        to="/automations/$id/insights"
        params={{ id }}
        aria-label={`${texts.automations.successOf(percent, count)}. ${texts.insights.open}`}
        className="inline-flex items-center gap-2 hover:underline"
      >
        <RateBar rate={rate} />
        <span className="text-xs text-soft tabular-nums">{percent}</span>
      </Link>
    </Tip>
  );
}

/** A share as a bar: what succeeded, and what did not. */
export function RateBar({ rate }: { rate: number }) {
  return (
    <span aria-hidden className="inline-block h-1.5 w-16 overflow-hidden rounded-full bg-bad/70">
      <span style={{ width: `${rate * 100}%` }} className="block h-full bg-good" />
    </span>
  );
}
