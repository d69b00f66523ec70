import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ListChecks, ListTodo, SearchX, X } from "lucide-react";
import { useState } from "react";
import { automationNamesQuery } from "@/api/automations";
import { type RunFilter, runsQuery } from "@/api/runs";
import { statsQuery } from "@/api/system";
import { FireSample } from "@/pages/home/FireSample";
import { Button } from "@/parts/Button";
import { Chips } from "@/parts/Chips";
import { Select } from "@/parts/Field";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { texts } from "@/texts";
import { BulkRunsDialog } from "./BulkRunsDialog";
import { RunsTable } from "./RunsTable";

const statuses = ["running", "waiting", "paused", "completed", "partial", "failed", "cancelled"];

export function RunsPage() {
  const filter = useSearch({ from: "/runs" });
  const navigate = useNavigate();
  const set = (change: Partial<RunFilter>) =>
    void navigate({ to: "/runs", search: { ...filter, ...change }, replace: true });
  const list = useInfiniteQuery(runsQuery(filter));
  const stats = useQuery(statsQuery);
  const runs = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [isActing, setActing] = useState(false);
  const automation = useQuery(automationNamesQuery).data?.items.find((item) => item.id === filter.automation);
  const named = [
    automation?.name ?? filter.automation,
    filter.status && (texts.status[filter.status] ?? filter.status),
    filter.event && texts.runs.eventFilter(filter.event),
    filter.entity && texts.runs.entityFilter(filter.entity),
    filter.replay && texts.replays.filter,
  ].filter(Boolean);
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <Page
      title={texts.runs.title}
      lead={texts.runs.lead}
      actions={
        <Button icon={<ListTodo size={14} />} disabled={runs.length === 0} onClick={() => setActing(true)}>
          {texts.runs.bulk.open}
        </Button>
      }
    >
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Chips
          label={texts.runs.statusFilter}
          value={filter.status}
          choices={statuses.map((status) => ({
            value: status,
            title: texts.status[status] ?? status,
            count: stats.data?.runs[status],
          }))}
          onChange={(status) => set({ status })}
        />
        <AutomationSelect value={filter.automation} onChange={(automation) => set({ automation })} />
        {filter.event && (
          <Filter text={texts.runs.eventFilter(filter.event)} onClear={() => set({ event: undefined })} />
        )}
        {filter.replay && <Filter text={texts.replays.filter} onClear={() => set({ replay: undefined })} />}
        {filter.entity && (
          <Filter text={texts.runs.entityFilter(filter.entity)} onClear={() => set({ entity: undefined })} />
        )}
      </div>
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows rows={8} />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the runs")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : runs.length > 0 ? (
          <RunsTable runs={runs} />
        ) : isFiltered ? (
          <Empty
            icon={<SearchX size={20} />}
            title={texts.runs.noMatch}
            action={<Button onClick={() => void navigate({ to: "/runs" })}>{texts.actions.clear}</Button>}
          >
            {texts.runs.noMatchHelp}
          </Empty>
        ) : (
          <Empty icon={<ListChecks size={20} />} title={texts.runs.empty} action={<FireSample />}>
            {texts.runs.emptyHelp}
          </Empty>
        )}
        <More query={list} />
      </div>
      {isActing && (
        <BulkRunsDialog
          filter={filter}
          named={named.join(" · ") || texts.runs.bulk.everything}
          onClose={() => setActing(false)}
        />
      )}
    </Page>
  );
}

function AutomationSelect({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const { data } = useQuery(automationNamesQuery);
  return (
    <Select
      aria-label={texts.runs.automationFilter}
      className="w-56!"
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      <option value="">{texts.runs.allAutomations}</option>
      {data?.items.map((item) => (
        <option key={item.id} value={item.id}>
          {item.name}
        </option>
      ))}
    </Select>
  );
}

function Filter({ text, onClear }: { text: string; onClear: () => void }) {
  return (
    <button
      type="button"
      onClick={onClear}
      className="flex h-7 items-center gap-1.5 rounded-full bg-accent-wash px-2.5 text-xs font-medium text-accent-text"
    >
      {text}
      <X size={12} aria-label={texts.actions.remove} />
    </button>
  );
}
