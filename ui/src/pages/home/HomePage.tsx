import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ListChecks, Plus } from "lucide-react";
import { runsQuery } from "@/api/runs";
import { statsQuery } from "@/api/system";
import type { Counts } from "@/api/types";
import { RunsTable } from "@/pages/runs/RunsTable";
import { buttonClass } from "@/parts/Button";
import { Empty, ErrorNote, Skeleton, SkeletonRows } from "@/parts/Notes";
import { Card, Page } from "@/parts/Page";
import { texts } from "@/texts";
import { Checklist } from "./Checklist";
import { FireSample } from "./FireSample";
import { NeedsYou } from "./NeedsYou";

export function HomePage() {
  const recent = useInfiniteQuery(runsQuery({}, 8));
  const runs = recent.data?.pages[0]?.items ?? [];
  return (
    <Page
      title={texts.home.title}
      actions={
        <>
          <FireSample look="plain" />
          <Link to="/automations/new" className={buttonClass("primary")}>
            <Plus size={15} aria-hidden />
            {texts.home.newAutomation}
          </Link>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Checklist />
        <NeedsYou />
        <Tiles />
        <Card
          flush
          title={texts.home.recent}
          actions={
            <Link to="/runs" className="text-xs font-medium text-accent-text hover:underline">
              {texts.home.seeAll}
            </Link>
          }
        >
          {recent.isPending ? (
            <SkeletonRows rows={5} />
          ) : recent.error ? (
            <div className="p-4">
              <ErrorNote what={texts.errors.load("the runs")} error={recent.error} onRetry={() => recent.refetch()} />
            </div>
          ) : runs.length ? (
            <RunsTable runs={runs} label={texts.home.recent} />
          ) : (
            <Empty icon={<ListChecks size={20} />} title={texts.home.noRuns} action={<FireSample />}>
              {texts.home.noRunsHelp}
            </Empty>
          )}
        </Card>
      </div>
    </Page>
  );
}

const sum = (counts: Counts | undefined) => Object.values(counts ?? {}).reduce((total, count) => total + count, 0);

function Tiles() {
  const stats = useQuery(statsQuery);
  if (stats.error)
    return <ErrorNote what={texts.errors.load("the counts")} error={stats.error} onRetry={() => stats.refetch()} />;
  const data = stats.data;
  const runs = data?.runs ?? {};
  const archived = data?.automations.archived ?? 0;
  const tiles = [
    {
      title: texts.home.automationsOn,
      value: data?.automations.active ?? 0,
      note: texts.home.ofAll(sum(data?.automations) - archived),
      to: "/automations",
      search: {},
    },
    {
      title: texts.home.runsUnderWay,
      value: (runs.running ?? 0) + (runs.pending ?? 0),
      note: texts.home.runsWaiting(runs.waiting ?? 0),
      to: "/runs",
      search: { status: "running" },
    },
    { title: texts.home.runsDone, value: runs.completed ?? 0, to: "/runs", search: { status: "completed" } },
    {
      title: texts.home.runsFailed,
      value: runs.failed ?? 0,
      to: "/runs",
      search: { status: "failed" },
      bad: (runs.failed ?? 0) > 0,
    },
    {
      title: texts.home.eventsSeen,
      value: sum(data?.events),
      note: data?.outbox.pending ? texts.home.outboxPending(data.outbox.pending) : undefined,
      to: "/events",
      search: {},
    },
  ] as const;
  return (
    <section aria-label={texts.home.counts} className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-5">
      {tiles.map((tile) => (
        <Link
          key={tile.title}
          to={tile.to}
          search={tile.search}
          className="card block p-4 transition-colors hover:border-line-strong"
        >
          <p className="text-xs text-soft">{tile.title}</p>
          {data ? (
            <p
              className={`mt-1 text-[26px] leading-8 font-semibold tracking-tight tabular-nums ${"bad" in tile && tile.bad ? "text-bad" : ""}`}
            >
              {tile.value.toLocaleString()}
            </p>
          ) : (
            <Skeleton className="mt-2 h-6 w-14" />
          )}
          <p className="h-4 truncate text-xs text-faint">{("note" in tile && data && tile.note) || ""}</p>
        </Link>
      ))}
    </section>
  );
}
