import { Link } from "@tanstack/react-router";
import type { Attempt, Json, LogLine, RunStep } from "@/api/types";
import { CodeView } from "@/parts/CodeView";
import { lineOf } from "@/parts/code";
import { ExplanationTree } from "@/parts/ExplanationTree";
import { exact, span } from "@/parts/instants";
import { JsonView } from "@/parts/JsonView";
import { StatusBadge } from "@/parts/Status";
import { type Tab, Tabs } from "@/parts/Tabs";
import { texts } from "@/texts";

type Props = { step: RunStep; tab: string | undefined; onTab: (tab: string) => void };

/** One step, opened: what went in, what came out, what it wrote, and each attempt. */
export function StepDetail({ step, tab, onTab }: Props) {
  const tabs = tabsOf(step);
  const isAtLine = step.error !== null && programOf(step) !== null && lineOf(step.error.message) !== null;
  const fallback = step.explanation ? "condition" : isAtLine ? "program" : step.error ? "attempts" : "output";
  const shown = tabs.some((one) => one.id === tab)
    ? (tab as string)
    : (tabs.find((one) => one.id === fallback)?.id ?? "input");
  return (
    <section
      aria-label={`${texts.runs.stepDetail} ${step.id}`}
      className="card flex max-h-[70vh] flex-col overflow-hidden"
    >
      <header className="flex items-center gap-2 px-4 pt-3">
        <h2 className="min-w-0 flex-1 truncate text-base font-semibold">{step.id}</h2>
        <StatusBadge status={step.status} />
      </header>
      {step.error && (
        <p role="alert" className="mx-4 mt-2 rounded-md bg-bad-wash px-3 py-2 text-sm break-words text-bad">
          {step.error.message} <code className="code">{step.error.code}</code>
        </p>
      )}
      {step.called_run && (
        <p className="mx-4 mt-2 flex items-center gap-2 text-sm">
          <StatusBadge status={step.called_run.status} />
          <Link
            to="/runs/$id"
            params={{ id: step.called_run.id }}
            className="font-medium text-accent-text hover:underline"
          >
            {texts.runs.calledRun}
          </Link>
        </p>
      )}
      <Tabs label={texts.runs.stepDetail} tabs={tabs} value={shown} onChange={onTab} />
    </section>
  );
}

/** The program of a step that runs one, as it was given to it. */
function programOf({ action, input }: RunStep): string | null {
  if (action !== "run_code" || input === null || typeof input !== "object" || Array.isArray(input)) return null;
  return typeof input.source === "string" ? input.source : null;
}

function tabsOf(step: RunStep): Tab[] {
  const lines = step.attempts.flatMap((attempt) => attempt.log);
  const tabs: Tab[] = [
    {
      id: "input",
      title: texts.runs.tabs.input,
      body: <Value value={step.input} label={texts.runs.tabs.input} none={texts.runs.noInput} />,
    },
    {
      id: "output",
      title: texts.runs.tabs.output,
      body: <Value value={step.output} label={texts.runs.tabs.output} none={texts.runs.noOutput} />,
    },
    { id: "log", title: <Counted title={texts.runs.tabs.log} count={lines.length} />, body: <Log lines={lines} /> },
    {
      id: "attempts",
      title: <Counted title={texts.runs.tabs.attempts} count={step.attempts.length} />,
      body: <Attempts attempts={step.attempts} />,
    },
  ];
  const program = programOf(step);
  if (program !== null) {
    const body = <CodeView value={program} label={texts.runs.tabs.program} error={step.error?.message ?? null} />;
    tabs.unshift({ id: "program", title: texts.runs.tabs.program, body });
  }
  if (!step.explanation) return tabs;
  const condition: Tab = {
    id: "condition",
    title: texts.runs.tabs.condition,
    body: (
      <div className="flex flex-col gap-3">
        <p className="text-sm text-soft">{step.explanation.text}</p>
        {step.explanation.tree && <ExplanationTree tree={step.explanation.tree} />}
      </div>
    ),
  };
  return [condition, ...tabs];
}

function Counted({ title, count }: { title: string; count: number }) {
  return (
    <>
      {title}
      {count > 0 && <span className="rounded-full bg-idle-wash px-1.5 text-2xs text-soft tabular-nums">{count}</span>}
    </>
  );
}

function Value({ value, label, none }: { value: Json | undefined; label: string; none: string }) {
  if (value === null || value === undefined) return <p className="text-sm text-faint">{none}</p>;
  return <JsonView value={value} label={label} />;
}

function Log({ lines }: { lines: LogLine[] }) {
  if (lines.length === 0) return <p className="text-sm text-faint">{texts.runs.noLog}</p>;
  return (
    <ol className="code flex flex-col gap-1">
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows
        <li key={index} className="flex gap-3">
          <time dateTime={line.at} className="shrink-0 text-faint">
            {line.at.slice(11, 23)}
          </time>
          <span className="min-w-0 break-words">
            {line.text}
            {line.fields && Object.keys(line.fields).length > 0 && (
              <span className="text-faint"> {JSON.stringify(line.fields)}</span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  if (attempts.length === 0) return <p className="text-sm text-faint">{texts.runs.noAttempts}</p>;
  return (
    <ol className="flex flex-col gap-2.5">
      {attempts.map((attempt) => (
        <li key={attempt.attempt} className="rounded-md border border-line p-3">
          <div className="flex items-center gap-2">
            <span className="font-medium">{texts.runs.attempt(attempt.attempt)}</span>
            <span className="ml-auto text-xs text-faint tabular-nums">
              {attempt.duration_seconds !== null && span(attempt.duration_seconds * 1000)}
            </span>
            <StatusBadge status={attempt.status} />
          </div>
          {attempt.started_at && <p className="mt-0.5 text-xs text-faint">{exact(attempt.started_at)}</p>}
          {attempt.error && (
            <p className="mt-1.5 text-sm break-words text-bad">
              {attempt.error.message} <code className="code">{attempt.error.code}</code>
            </p>
          )}
          {attempt.idempotency_key && (
            <p className="mt-1.5 truncate text-xs text-faint">
              {texts.runs.idempotency}: <code className="code">{attempt.idempotency_key}</code>
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}
