import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { automations } from "@/api/automations";
import type { AutomationItem, Backtest, BacktestKind, BacktestSample } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, Select } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { Exact } from "@/parts/Time";
import { texts } from "@/texts";
import { goThrough, kindsShown } from "./backtest";

const DAY = 86_400_000;

type Props = { item: AutomationItem; onClose: () => void };

/** Tries the saved draft on the past, beside the live version: counts that grow while it goes, and samples. */
export function BacktestDialog({ item, onClose }: Props) {
  const [days, setDays] = useState("7");
  const work = useBacktest(item.id);
  const { told } = work;
  return (
    <Dialog
      title={texts.backtest.title(item.name)}
      description={item.version === null ? texts.backtest.leadDraft : texts.backtest.lead}
      size="lg"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.close}</Button>
          {work.isGoing ? (
            <Button look="primary" onClick={work.stop}>
              {texts.backtest.stop}
            </Button>
          ) : (
            <Button look="primary" onClick={() => void work.start(Number(days))}>
              {told ? texts.backtest.again : texts.backtest.start}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        <Field label={texts.backtest.window}>
          {(field) => (
            <Select {...field} value={days} disabled={work.isGoing} onChange={(event) => setDays(event.target.value)}>
              {Object.entries(texts.backtest.windows).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {work.error !== null && <ErrorNote error={work.error} />}
        {told && <Told told={told} isGoing={work.isGoing} />}
      </div>
    </Dialog>
  );
}

function Told({ told, isGoing }: { told: Backtest; isGoing: boolean }) {
  const { events, of } = told.progress;
  if (of === 0) return <p className="text-sm text-soft">{texts.backtest.none}</p>;
  return (
    <>
      {isGoing && <ProgressBar value={events} max={of} text={texts.backtest.progress(events, of)} />}
      <div role="status" className="text-sm">
        <p className="text-base font-semibold">{texts.backtest.wouldStart(told.would_start)}</p>
        {told.against !== null && <p>{texts.backtest.other(told.against, told.other_would_start)}</p>}
        <p className="text-xs text-faint">
          {texts.backtest.progress(events, of)} · {texts.backtest.entityNow}
        </p>
      </div>
      {kindsShown(told).map((kind) => (
        <Kind key={kind} kind={kind} told={told} />
      ))}
    </>
  );
}

function Kind({ kind, told }: { kind: BacktestKind; told: Backtest }) {
  const titles = told.against === null ? texts.backtest.kindsAlone : texts.backtest.kinds;
  const samples = told.samples[kind];
  const differs = told.against !== null && (kind === "newly" || kind === "no_longer");
  return (
    <details open={differs && samples.length > 0} className="rounded-lg border border-line bg-surface">
      <summary className="flex cursor-pointer items-baseline gap-2 px-3 py-2 text-sm font-medium">
        {titles[kind]}
        <span className="tabular-nums">{told.counts[kind].toLocaleString()}</span>
        <span className="ml-auto text-xs font-normal text-faint">
          {texts.backtest.samples(samples.length, told.counts[kind])}
        </span>
      </summary>
      <ul className="flex flex-col divide-y divide-line border-t border-line">
        {samples.map((sample) => (
          <Sample key={sample.event_id} sample={sample} against={told.against} />
        ))}
      </ul>
    </details>
  );
}

function Sample({ sample, against }: { sample: BacktestSample; against: number | null }) {
  return (
    <li className="flex flex-col gap-0.5 px-3 py-2 text-sm">
      <span className="flex flex-wrap items-baseline gap-x-2">
        <Link to="/events/$id" params={{ id: sample.event_id }} className="font-medium hover:text-accent-text">
          {sample.entity ? `${sample.entity.type} ${sample.entity.id}` : sample.event_id}
        </Link>
        <span className="text-xs text-faint">
          <Exact at={sample.at} />
        </span>
      </span>
      <span className="text-xs text-soft [overflow-wrap:anywhere]">
        <span className="font-medium">{texts.backtest.draft}:</span> {sample.reason}
      </span>
      {against !== null && (
        <span className="text-xs text-soft [overflow-wrap:anywhere]">
          <span className="font-medium">{texts.backtest.live(against)}:</span> {sample.other_reason}
        </span>
      )}
    </li>
  );
}

function useBacktest(id: string) {
  const [told, setTold] = useState<Backtest | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isGoing, setGoing] = useState(false);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const start = async (days: number) => {
    const own = new AbortController();
    stop.current = own;
    setTold(null);
    setError(null);
    setGoing(true);
    const since = new Date(Date.now() - days * DAY).toISOString();
    try {
      await goThrough(since, setTold, own.signal, (asked) => automations.backtest(id, asked));
    } catch (failed) {
      if (!own.signal.aborted) setError(failed);
    }
    if (stop.current === own) setGoing(false);
  };
  const halt = () => {
    stop.current.abort();
    setGoing(false);
  };
  return { told, error, isGoing, start, stop: halt };
}
