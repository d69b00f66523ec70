import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Insights, Outcome } from "@/api/insights";
import type { AutomationItem } from "@/api/types";
import { span } from "@/parts/instants";
import { StatusBadge } from "@/parts/Status";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { RateBar } from "../SuccessBar";

const said = texts.insights;
const OUTCOMES: Outcome[] = ["completed", "partial", "failed"];

/** The figures of the runs at a glance. */
export function Figures({ told, item }: { told: Insights; item: AutomationItem }) {
  const rate = told.outcomes.completed / told.runs;
  const there = OUTCOMES.filter((outcome) => told.outcomes[outcome] > 0);
  return (
    <dl className="grid gap-3 sm:grid-cols-2 xl:grid-cols-[1fr_1fr_1.6fr]">
      <Tile title={said.runs} figure={told.runs.toLocaleString()}>
        {told.version !== null && <p>{said.ofVersion(told.version)}</p>}
        {told.since && (
          <p>
            {told.runs >= 500 ? said.newest(told.runs) : said.since} <Ago at={told.since} />
          </p>
        )}
      </Tile>
      <Tile
        title={said.success}
        figure={
          <span className="flex items-center gap-3">
            {`${Math.floor(rate * 100)}%`}
            <RateBar rate={rate} />
          </span>
        }
      >
        <p className="flex flex-wrap gap-x-2">
          {there.map((outcome) => (
            <Link
              key={outcome}
              to="/runs"
              search={{ automation: item.id, status: outcome }}
              className="underline-offset-2 hover:text-ink hover:underline"
            >
              {said.outcomes[outcome](told.outcomes[outcome])}
            </Link>
          ))}
        </p>
        {item.last_run && (
          <p className="mt-1 flex items-center gap-1.5">
            {said.lastRun}
            <Link
              to="/runs/$id"
              params={{ id: item.last_run.id }}
              className="flex items-center gap-1.5 hover:underline"
            >
              <StatusBadge status={item.last_run.status} />
              <Ago at={item.last_run.at} />
            </Link>
          </p>
        )}
      </Tile>
      <Durations durations={told.durations} />
    </dl>
  );
}

/** A duration in words; a dash where nothing was measured. */
export function lasting(seconds: number | null): string {
  return seconds === null ? texts.values.nothing : span(seconds * 1000);
}

function Tile({ title, figure, children }: { title: string; figure: ReactNode; children: ReactNode }) {
  return (
    <div className="card p-4">
      <dt className="text-xs text-soft">{title}</dt>
      <dd>
        <div className="mt-1 text-[22px] leading-8 font-semibold tracking-tight tabular-nums">{figure}</div>
        <div className="text-xs text-faint">{children}</div>
      </dd>
    </div>
  );
}

const parts = ["whole", "work", "asleep"] as const;

/** How long runs take, and where the time goes. */
function Durations({ durations }: { durations: Insights["durations"] }) {
  return (
    <div className="card p-4 text-sm sm:max-xl:col-span-2">
      <dt className="sr-only">{said.durations}</dt>
      <dd>
        <table className="w-full" aria-label={said.durations}>
          <thead>
            <tr className="text-xs text-faint">
              <th scope="col" className="text-left font-normal text-soft">
                {said.durations}
              </th>
              <th scope="col" className="pl-2 text-right font-normal">
                {said.half}
              </th>
              <th scope="col" className="pl-2 text-right font-normal">
                {said.most}
              </th>
            </tr>
          </thead>
          <tbody>
            {parts.map((part) => (
              <tr key={part}>
                <th scope="row" className="pt-1.5 text-left font-medium">
                  {said.parts[part].title}
                  <span className="block text-xs font-normal text-faint">{said.parts[part].help}</span>
                </th>
                <td className="pt-1.5 pl-2 text-right align-top tabular-nums">
                  {lasting(durations[part].p50_seconds)}
                </td>
                <td className="pt-1.5 pl-2 text-right align-top tabular-nums">
                  {lasting(durations[part].p95_seconds)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </dd>
    </div>
  );
}
