import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft, CircleCheck, Gauge, Hourglass, Lightbulb, ListChecks, Pencil, RotateCw } from "lucide-react";
import { automationQuery } from "@/api/automations";
import { type Insights, insightsQuery, versionQuery } from "@/api/insights";
import type { AutomationItem, StepDocument } from "@/api/types";
import { Button, buttonClass } from "@/parts/Button";
import { Select } from "@/parts/Field";
import { Empty, ErrorNote, Skeleton, SkeletonRows } from "@/parts/Notes";
import { Card, Page } from "@/parts/Page";
import { StatusBadge } from "@/parts/Status";
import { texts } from "@/texts";
import { placeWords } from "../editor/selection";
import { VersionBadge } from "../VersionBadge";
import { ConditionTable } from "./ConditionTable";
import { Figures } from "./Figures";
import { placeOf } from "./places";
import { StepTable } from "./StepTable";

const said = texts.insights;
const ALL = "all";
const USUAL = "30";

/** How the runs of one automation did, what takes their time, and what to do about it. */
export function InsightsPage() {
  const { id } = useParams({ from: "/automations/$id/insights" });
  const item = useQuery(automationQuery(id));
  const above = (
    <Link
      to="/automations"
      className="mb-3 inline-flex items-center gap-1 text-xs font-medium text-soft hover:text-ink"
    >
      <ArrowLeft size={13} aria-hidden />
      {texts.automations.title}
    </Link>
  );
  if (!item.data) {
    return (
      <Page title={said.open} above={above}>
        {item.error ? (
          <ErrorNote what={texts.errors.load("this automation")} error={item.error} onRetry={() => item.refetch()} />
        ) : (
          <Loading />
        )}
      </Page>
    );
  }
  return (
    <Page
      title={item.data.name}
      above={above}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          <StatusBadge status={item.data.status} />
          <VersionBadge item={item.data} />
          {said.lead}
        </span>
      }
      actions={
        <>
          <Link to="/runs" search={{ automation: id }} className={buttonClass()}>
            <ListChecks size={14} aria-hidden />
            {texts.automations.seeRuns}
          </Link>
          <Link to="/automations/$id/edit" params={{ id }} className={buttonClass()}>
            <Pencil size={14} aria-hidden />
            {said.edit}
          </Link>
        </>
      }
    >
      {item.data.version === null ? <Unpublished id={id} /> : <OfLive item={item.data} version={item.data.version} />}
    </Page>
  );
}

function Loading() {
  return (
    <div className="flex flex-col gap-4">
      <Skeleton className="h-24" />
      <div className="card">
        <SkeletonRows />
      </div>
    </div>
  );
}

function Unpublished({ id }: { id: string }) {
  return (
    <div className="card">
      <Empty
        icon={<Gauge size={20} />}
        title={said.unpublished}
        action={
          <Link to="/automations/$id/edit" params={{ id }} className={buttonClass("primary")}>
            {said.edit}
          </Link>
        }
      >
        {said.unpublishedHelp}
      </Empty>
    </div>
  );
}

function OfLive({ item, version }: { item: AutomationItem; version: number }) {
  const { days = USUAL } = useSearch({ from: "/automations/$id/insights" });
  const navigate = useNavigate();
  const window = days in said.windows ? days : USUAL;
  const told = useQuery(insightsQuery(item.id, window === ALL ? undefined : Number(window)));
  const steps = useQuery(versionQuery(item.id, told.data?.version ?? version)).data?.steps;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <Select
          aria-label={said.window}
          className="w-44!"
          value={window}
          onChange={(event) =>
            void navigate({
              to: "/automations/$id/insights",
              params: { id: item.id },
              search: { days: event.target.value },
              replace: true,
            })
          }
        >
          {["1", "7", "30", "90", ALL].map((value) => (
            <option key={value} value={value}>
              {said.windows[value]}
            </option>
          ))}
        </Select>
        <Button icon={<RotateCw size={14} />} busy={told.isFetching} onClick={() => void told.refetch()}>
          {said.again}
        </Button>
        {item.has_draft_changes && <p className="text-xs text-soft">{said.draft}</p>}
      </div>
      {told.error ? (
        <ErrorNote what={texts.errors.load("the insights")} error={told.error} onRetry={() => told.refetch()} />
      ) : told.isPending || !steps ? (
        <Loading />
      ) : (
        <Told told={told.data} steps={steps} item={item} isAll={window === ALL} />
      )}
    </div>
  );
}

type ToldProps = { told: Insights; steps: StepDocument[]; item: AutomationItem; isAll: boolean };

function Told({ told, steps, item, isAll }: ToldProps) {
  if (told.runs === 0) {
    return (
      <div className="card">
        <Empty
          icon={<Hourglass size={20} />}
          title={isAll ? said.none : said.noneInWindow}
          action={
            <Link to="/runs" search={{ automation: item.id }} className={buttonClass()}>
              {texts.automations.seeRuns}
            </Link>
          }
        >
          {isAll ? said.noneHelp(told.version ?? 1) : said.noneInWindowHelp}
        </Empty>
      </div>
    );
  }
  return (
    <>
      <Figures told={told} item={item} />
      <Card title={said.advice}>
        <AdviceList told={told} steps={steps} id={item.id} />
      </Card>
      <StepTable id={item.id} told={told.steps} steps={steps} />
      <ConditionTable id={item.id} told={told.conditions} steps={steps} />
    </>
  );
}

/** What could be better, each leading to its place in the editor; or why nothing is said. */
function AdviceList({ told, steps, id }: { told: Insights; steps: StepDocument[]; id: string }) {
  if (told.runs < told.runs_needed) {
    return <p className="text-sm text-soft">{said.adviceFew(told.runs, told.runs_needed)}</p>;
  }
  if (told.advice.length === 0) {
    return (
      <p className="flex items-start gap-2 text-sm text-soft">
        <CircleCheck size={15} aria-hidden className="mt-0.5 shrink-0 text-good" />
        {said.adviceNone}
      </p>
    );
  }
  return (
    <ul className="flex flex-col gap-3">
      {told.advice.map((advice) => (
        <li key={`${advice.code} ${advice.path}`} className="flex items-start gap-2.5 text-sm">
          <Lightbulb size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          <div className="min-w-0">
            <p className="[overflow-wrap:anywhere]">{advice.text}</p>
            <Link
              to="/automations/$id/edit"
              params={{ id }}
              search={placeOf(advice.path, steps)}
              className="text-xs font-medium text-accent-text hover:underline"
            >
              {said.goTo(placeWords(advice.path, steps))}
            </Link>
          </div>
        </li>
      ))}
    </ul>
  );
}
