import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { runQuery } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { ExplanationTree } from "@/parts/ExplanationTree";
import { ErrorNote, Skeleton, SkeletonRows } from "@/parts/Notes";
import { Card, Page } from "@/parts/Page";
import { Badge, StatusBadge } from "@/parts/Status";
import { texts } from "@/texts";
import { AgainActions } from "./AgainActions";
import { CalledRuns, callerOf } from "./CalledRuns";
import { RunActions } from "./RunActions";
import { RunFacts } from "./RunFacts";
import { StepDetail } from "./StepDetail";
import { runSentence } from "./sentence";
import { Timeline } from "./Timeline";
import { stepToShow } from "./timeline";

const FINAL = new Set(["completed", "partial", "failed", "cancelled"]);

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  // Live notices renew the page; while the run is under way a slow poll is the net under them.
  const query = useQuery({
    ...runQuery(id),
    refetchInterval: ({ state }) => (state.data && FINAL.has(state.data.status) ? false : 3000),
  });
  const run = query.data;
  const back = (
    <Link to="/runs" className="mb-3 inline-flex items-center gap-1 text-xs font-medium text-soft hover:text-ink">
      <ArrowLeft size={13} aria-hidden />
      {texts.runs.back}
    </Link>
  );
  if (!run) {
    return (
      <Page title={texts.runs.title} above={back} wide>
        {query.error ? (
          <ErrorNote what={texts.errors.load("this run")} error={query.error} onRetry={() => query.refetch()} />
        ) : (
          <Loading />
        )}
      </Page>
    );
  }
  return (
    <Page
      wide
      above={back}
      title={run.automation.name}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          <StatusBadge status={run.status} />
          {run.test && <Badge tone="warn">{texts.runs.test}</Badge>}
          {run.replay_id && (
            <Link to="/runs" search={{ replay: run.replay_id }}>
              <Badge tone="info">{texts.replays.mark}</Badge>
            </Link>
          )}
          <span role="status">{runSentence(run)}</span>
        </span>
      }
      actions={
        <>
          <RunActions run={run} />
          <AgainActions run={run} />
        </>
      }
    >
      <RunBody run={run} />
    </Page>
  );
}

function Loading() {
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_420px]">
      <div className="card">
        <SkeletonRows />
      </div>
      <Skeleton className="h-72" />
    </div>
  );
}

function RunBody({ run }: { run: RunDetail }) {
  const search = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate();
  const show = (change: { step?: string; tab?: string }) =>
    void navigate({ to: "/runs/$id", params: { id: run.id }, search: { ...search, ...change }, replace: true });
  const fallback = stepToShow(run.steps);
  const step = run.steps.find((one) => one.id === search.step) ?? fallback;
  const caller = step ? callerOf(run, step) : null;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_440px]">
      <div className="flex min-w-0 flex-col gap-4">
        <Card title={texts.runs.timeline} flush>
          <Timeline run={run} selected={step?.id ?? null} onSelect={(id) => show({ step: id, tab: undefined })} />
        </Card>
        <Card title={texts.runs.whyStarted}>
          {run.explanation?.tree ? (
            <div className="flex flex-col gap-3">
              {run.explanation.text && <p className="text-sm text-soft">{run.explanation.text}</p>}
              <ExplanationTree tree={run.explanation.tree} />
            </div>
          ) : (
            <p className="text-sm text-faint">{run.explanation?.text || texts.runs.noCondition}</p>
          )}
        </Card>
      </div>
      <div className="flex min-w-0 flex-col gap-4 lg:sticky lg:top-4">
        {step && (
          <StepDetail key={step.id} step={step} tab={search.tab} onTab={(tab) => show({ step: step.id, tab })} />
        )}
        {caller && <CalledRuns key={caller} run={run} step={caller} />}
        <RunFacts run={run} />
      </div>
    </div>
  );
}
