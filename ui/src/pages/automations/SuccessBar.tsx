import { Tip } from "@/parts/Tip";
import { texts } from "@/texts";

export function SuccessBar({ rate, count }: { rate: number | null; count: number }) {
  if (rate === null) return <span className="text-xs text-faint">{texts.automations.noRuns}</span>;
  const percent = `${Math.floor(rate * 100)}%`;
  return (
    <Tip text={texts.automations.successOf(percent, count)}>
      <span className="inline-flex items-center gap-2">
        <span aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-bad/70">
          <span style={{ width: `${rate * 100}%` }} className="block h-full bg-good" />
        </span>
        <span className="text-xs text-soft tabular-nums">{percent}</span>
      </span>
    </Tip>
  );
}
