import { useMemo, useState } from "react";
import type { RunDetail, RunStep } from "@/api/types";
import type { StepKind } from "@/outline/model";
import { StepIcon } from "@/outline/StepIcon";
import { Button } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { exact, span } from "@/parts/instants";
import { StatusBadge, toneOf } from "@/parts/Status";
import { useNow } from "@/parts/Time";
import { texts } from "@/texts";
import { counted, grouped } from "./grouping";
import { type Bar, layOut, notReached, type TimelineRow } from "./timeline";

type Props = { run: RunDetail; selected: string | null; onSelect: (id: string) => void };

/** The run's steps over time: a bar per attempt, waits squeezed, the items of a list together, what was not reached in grey. */
export function Timeline({ run, selected, onSelect }: Props) {
  const now = useNow();
  const groups = useMemo(() => grouped(run.steps, run.document), [run.steps, run.document]);
  const axis = useMemo(
    () =>
      layOut(
        groups.map((group) => group.step),
        now,
      ),
    [groups, now],
  );
  const titles = new Set(groups.map((group) => group.title));
  const rest = notReached(run.document, run.steps).filter((step) => !titles.has(step.id));
  if (groups.length === 0 && rest.length === 0) return <p className="p-4 text-sm text-faint">{texts.runs.noSteps}</p>;
  const ended = run.status === "failed" || run.status === "cancelled";
  return (
    <ol aria-label={texts.runs.timeline}>
      {groups.map((group, at) => {
        const row = axis[at];
        if (!row) return null;
        const action = run.document?.steps.find((step) => step.id === group.title)?.action ?? group.step.action;
        return (
          <li key={group.title} className="border-b border-line last:border-0">
            <StepRow
              row={row}
              title={group.title}
              depth={group.depth}
              ended={ended}
              isSelected={group.step.id === selected}
              onSelect={() => onSelect(group.step.id)}
            />
            {group.rounds.length > 0 && (
              <Entries
                {...{ selected, onSelect, now, ended }}
                entries={group.rounds}
                label={texts.runs.roundsOf(group.title)}
                words={texts.runs.rounds(group.rounds.length)}
                depth={group.depth}
                action={action ?? null}
              />
            )}
            {group.items.length > 0 && (
              <Entries
                {...{ selected, onSelect, now, ended }}
                entries={group.items}
                label={texts.runs.itemsOf(group.title)}
                words={texts.runs.items(group.items.length)}
                depth={group.depth}
                action={action ?? null}
              />
            )}
          </li>
        );
      })}
      {rest.map((step) => (
        <li key={step.id} className="flex items-center gap-3 border-b border-line px-4 py-2.5 text-faint last:border-0">
          <StepIcon kind={step.kind as StepKind} action={step.action} />
          <span className="min-w-0 flex-1 truncate">{step.id}</span>
          <span className="text-xs text-faint">{texts.runs.notReached}</span>
        </li>
      ))}
    </ol>
  );
}

const INDENT = 18;
const AT_ONCE = 50;
const FAILED_SHOWN = 5;

type EntriesProps = {
  entries: RunStep[];
  label: string;
  /** What they are, and how many. */
  words: string;
  depth: number;
  action: string | null;
  selected: string | null;
  now: number;
  ended: boolean;
  onSelect: (id: string) => void;
};

/** The items a step was done for, or its earlier rounds: how many stand how; those that failed; the others when asked for. */
function Entries({ entries, label, words, depth, action, selected, now, ended, onSelect }: EntriesProps) {
  const [shown, setShown] = useState(0);
  const failed = entries.filter((item) => item.status === "failed").slice(0, FAILED_SHOWN);
  const picked = entries.filter((item) => item.id === selected);
  const visible = shown ? entries.slice(0, shown) : [...new Set([...failed, ...picked])];
  const rows = layOut(visible, now);
  return (
    <div className="border-t border-line bg-sunken/50">
      <div
        className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5 text-xs text-soft"
        style={{ paddingLeft: 16 + (depth + 1) * INDENT }}
      >
        <span className="font-medium">{words}</span>
        {counted(entries).map(([status, count]) => (
          <span key={status} className={status === "failed" ? "text-bad" : ""}>
            {count.toLocaleString()} {(texts.status[status] ?? status).toLowerCase()}
          </span>
        ))}
        <Button
          size="sm"
          look="quiet"
          className="ml-auto"
          aria-expanded={shown > 0}
          onClick={() => setShown(shown ? 0 : AT_ONCE)}
        >
          {shown ? texts.runs.hideItems : texts.runs.showItems}
        </Button>
      </div>
      <ol aria-label={label}>
        {rows.map((row) => (
          <li key={row.step.id} className="border-t border-line">
            <StepRow
              row={{ ...row, step: { ...row.step, action: row.step.action ?? action } }}
              title={row.step.id}
              depth={depth + 1}
              ended={ended}
              isSelected={row.step.id === selected}
              onSelect={() => onSelect(row.step.id)}
            />
          </li>
        ))}
      </ol>
      {shown > 0 && shown < entries.length && (
        <div className="border-t border-line p-1.5 text-center">
          <Button size="sm" look="quiet" onClick={() => setShown(shown + 4 * AT_ONCE)}>
            {texts.runs.moreItems(entries.length - shown)}
          </Button>
        </div>
      )}
    </div>
  );
}

type RowProps = {
  row: TimelineRow;
  title: string;
  depth: number;
  ended: boolean;
  isSelected: boolean;
  onSelect: () => void;
};

function StepRow({ row, title, depth, ended, isSelected, onSelect }: RowProps) {
  const { step } = row;
  return (
    <button
      type="button"
      aria-current={isSelected ? "step" : undefined}
      onClick={onSelect}
      className={cx(
        "grid w-full grid-cols-[minmax(0,1fr)] items-center gap-x-4 gap-y-1.5 px-4 py-2.5 text-left sm:grid-cols-[minmax(0,220px)_minmax(0,1fr)_170px]",
        isSelected ? "bg-accent-wash" : "hover:bg-hover",
      )}
    >
      <span className="flex min-w-0 items-center gap-2.5" style={{ paddingLeft: Math.min(depth, 4) * INDENT }}>
        <StepIcon kind={step.kind as StepKind} action={step.action} />
        <span className="min-w-0">
          <span className="block truncate font-medium">{title}</span>
          <span className="block truncate text-xs text-faint">
            {step.action ?? texts.steps.kind[step.kind] ?? step.kind}
          </span>
        </span>
      </span>
      <span className="min-w-0">
        <Lanes row={row} />
        <Note step={step} ended={ended} />
      </span>
      <span className="flex items-center justify-end gap-2">
        <span className="text-xs text-faint tabular-nums">{durationOf(step)}</span>
        <StatusBadge status={step.status} />
      </span>
    </button>
  );
}

function durationOf(step: RunStep): string {
  if (!step.started_at || !step.finished_at) return "";
  return span(Date.parse(step.finished_at) - Date.parse(step.started_at));
}

const barTones = { good: "bg-good", bad: "bg-bad", warn: "bg-warn", info: "bg-info", idle: "bg-faint" };

/** One lane for each attempt; a wait is a single hatched lane with its length on it. */
function Lanes({ row }: { row: TimelineRow }) {
  if (row.idle && row.bar) {
    return (
      <span className="relative block h-3">
        <Track />
        <span
          style={percent(row.bar)}
          className="absolute inset-y-0.5 rounded-full border border-dashed border-info bg-info-wash"
        />
      </span>
    );
  }
  const lanes = row.lanes.length
    ? row.lanes.map((lane) => ({ bar: lane.bar, status: lane.attempt.status }))
    : row.bar
      ? [{ bar: row.bar, status: row.step.status }]
      : [];
  return (
    <span className="flex flex-col gap-0.5" aria-hidden>
      {lanes.map((lane, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lanes are the attempts in order
        <span key={index} className="relative block h-3">
          <Track />
          <span
            style={percent(lane.bar)}
            className={cx(
              "absolute inset-y-[3px] min-w-1 rounded-full",
              barTones[toneOf(lane.status)],
              lane.status === "running" && "animate-live",
            )}
          />
        </span>
      ))}
    </span>
  );
}

function Track() {
  return <span className="absolute inset-x-0 top-1/2 h-px bg-line" />;
}

function percent(bar: Bar) {
  return { left: `${bar.left * 100}%`, width: `${bar.width * 100}%` };
}

/** The one thing worth saying about a step: its error, what it waits for, or how often it was tried. */
function Note({ step, ended }: { step: RunStep; ended: boolean }) {
  if (step.error) return <span className="mt-0.5 block truncate text-xs text-bad">{step.error.message}</span>;
  if (step.status === "waiting" && step.due_at)
    return <span className="mt-0.5 block text-xs text-info">{texts.runs.waitsUntil(exact(step.due_at))}</span>;
  if (step.status === "pending") return null;
  if (step.status === "skipped") {
    const why = step.finished_at ? texts.runs.skippedByHand : ended ? texts.runs.ended : texts.runs.skipped;
    return <span className="block text-xs text-faint">{why}</span>;
  }
  if (step.kind === "delay" && step.finished_at)
    return <span className="mt-0.5 block text-xs text-faint">{texts.runs.wait(durationOf(step))}</span>;
  if (step.attempts.length > 1)
    return <span className="mt-0.5 block text-xs text-warn">{texts.runs.attempts(step.attempts.length)}</span>;
  if (step.explanation)
    return <span className="mt-0.5 block truncate text-xs text-faint">{step.explanation.text}</span>;
  return null;
}
