import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { explainQuery } from "@/api/events";
import type { EventDetail, ExplainedAutomation, RunSummary } from "@/api/types";
import { ExplanationTree } from "@/parts/ExplanationTree";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { Badge, StatusBadge } from "@/parts/Status";
import { texts } from "@/texts";

/** Every automation that listens: the run it started, or why it did not start. */
export function Explained({ event }: { event: EventDetail }) {
  const told = useQuery(explainQuery(event.id));
  if (told.isPending) return <Skeleton className="h-16" />;
  if (told.error)
    return <ErrorNote what={texts.errors.load("the explanation")} error={told.error} onRetry={() => told.refetch()} />;
  const listed = [...told.data.automations].sort(
    (a, b) => Number(b.outcome === "started") - Number(a.outcome === "started"),
  );
  const known = new Set(listed.map((one) => one.run_id));
  const others = event.runs.filter((run) => !known.has(run.id));
  if (listed.length === 0 && others.length === 0) return <p className="text-sm text-faint">{texts.events.whyNone}</p>;
  return (
    <ul className="flex flex-col gap-2">
      {listed.map((one) => (
        <li key={one.automation_id}>
          <One told={one} run={event.runs.find((run) => run.id === one.run_id)} />
        </li>
      ))}
      {others.map((run) => (
        <li key={run.id} className="card flex items-center gap-2 px-3 py-2.5">
          <RunLink run={run} />
        </li>
      ))}
    </ul>
  );
}

function RunLink({ run }: { run: RunSummary }) {
  return (
    <>
      <Link
        to="/runs/$id"
        params={{ id: run.id }}
        className="min-w-0 flex-1 truncate font-medium hover:text-accent-text"
      >
        {run.automation.name}
      </Link>
      <StatusBadge status={run.status} />
    </>
  );
}

function One({ told, run }: { told: ExplainedAutomation; run: RunSummary | undefined }) {
  const started = told.outcome === "started";
  return (
    <div className="card px-3 py-2.5">
      <div className="flex items-center gap-2">
        <Link
          to="/automations/$id/edit"
          params={{ id: told.automation_id }}
          className="min-w-0 truncate font-medium hover:text-accent-text"
        >
          {told.name}
        </Link>
        {told.version !== null && <span className="text-xs text-faint">{texts.automations.version(told.version)}</span>}
        <span className="ml-auto flex items-center gap-2">
          {started && told.run_id ? (
            <Link
              to="/runs/$id"
              params={{ id: told.run_id }}
              className="inline-flex items-center gap-1 rounded-full hover:opacity-80"
            >
              <StatusBadge status={run?.status ?? "started"} />
              <ChevronRight size={13} aria-hidden className="text-faint" />
            </Link>
          ) : (
            <Badge tone={told.outcome === "error" ? "bad" : "idle"}>
              {texts.status[told.outcome] ?? told.outcome.replaceAll("_", " ")}
            </Badge>
          )}
        </span>
      </div>
      {told.reason && <p className="mt-0.5 text-sm text-soft">{told.reason}</p>}
      {told.explanation?.tree && (
        <details className="mt-1.5" open={!started}>
          <summary className="w-fit rounded text-xs font-medium text-soft hover:text-ink">
            {texts.runs.tabs.condition}
          </summary>
          <div className="mt-2">
            <ExplanationTree tree={told.explanation.tree} />
          </div>
        </details>
      )}
    </div>
  );
}
