import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Activity, SearchX, Send } from "lucide-react";
import { useCallback } from "react";
import { type EventFilter, eventsQuery, eventTypesQuery } from "@/api/events";
import type { EventItem } from "@/api/types";
import { EntityLink } from "@/pages/runs/RunsTable";
import { Button } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { Search } from "@/parts/Search";
import { Badge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { EmitDialog } from "./EmitDialog";

const columns = [
  { title: texts.events.columns.event },
  { title: texts.events.columns.entity, folds: true, className: "w-52" },
  { title: texts.events.columns.runs, className: "w-24 md:w-28" },
  { title: texts.events.columns.at, folds: true, className: "w-32" },
];

export function EventsPage() {
  const { emit, ...filter } = useSearch({ from: "/events" });
  const navigate = useNavigate();
  const set = (change: Partial<EventFilter> & { emit?: string }) =>
    void navigate({ to: "/events", search: { ...filter, ...change }, replace: true });
  const list = useInfiniteQuery(eventsQuery(filter));
  const events = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title={texts.events.title}
      lead={texts.events.lead}
      actions={
        <Button look="primary" icon={<Send size={14} />} onClick={() => set({ emit: "new" })}>
          {texts.events.emit}
        </Button>
      }
    >
      <Filters filter={filter} onChange={set} />
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows rows={8} />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the events")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : (
          <Body
            events={events}
            isFiltered={Object.values(filter).some(Boolean)}
            onClear={() => void navigate({ to: "/events" })}
            onEmit={() => set({ emit: "new" })}
          />
        )}
        <More query={list} />
      </div>
      <Outlet />
      {emit && <EmitDialog again={emit === "new" ? undefined : emit} onClose={() => set({ emit: undefined })} />}
    </Page>
  );
}

function Filters({ filter, onChange }: { filter: EventFilter; onChange: (change: Partial<EventFilter>) => void }) {
  const types = useQuery(eventTypesQuery).data ?? [];
  const find = useCallback((q: string) => onChange({ q: q || undefined }), [onChange]);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2.5">
      <Search
        label={texts.events.search}
        placeholder={texts.events.searchHint}
        value={filter.q ?? ""}
        onChange={find}
      />
      <div className="w-64 max-md:w-full">
        <Combobox
          mono
          label={texts.events.nameFilter}
          placeholder={texts.events.allNames}
          value={filter.name ?? ""}
          choices={types.map((type) => ({ value: type.name, hint: type.title ?? undefined }))}
          onChange={(name) => onChange({ name: name || undefined })}
        />
      </div>
      <div className="w-48 max-md:w-full">
        <Search
          label={texts.events.entityFilter}
          placeholder={texts.events.entityHint}
          value={filter.entity ?? ""}
          onChange={(entity) => onChange({ entity: entity || undefined })}
          wait={500}
        />
      </div>
    </div>
  );
}

type BodyProps = { events: EventItem[]; isFiltered: boolean; onClear: () => void; onEmit: () => void };

function Body({ events, isFiltered, onClear, onEmit }: BodyProps) {
  const navigate = useNavigate();
  const search = useSearch({ from: "/events" });
  const { id } = useParams({ strict: false });
  if (events.length === 0 && isFiltered) {
    return (
      <Empty
        icon={<SearchX size={20} />}
        title={texts.events.noMatch}
        action={<Button onClick={onClear}>{texts.actions.clear}</Button>}
      >
        {texts.events.noMatchHelp}
      </Empty>
    );
  }
  if (events.length === 0) {
    return (
      <Empty
        icon={<Activity size={20} />}
        title={texts.events.empty}
        action={
          <Button look="primary" onClick={onEmit}>
            {texts.events.emit}
          </Button>
        }
      >
        {texts.events.emptyHelp}
      </Empty>
    );
  }
  return (
    <Table columns={columns} label={texts.events.title}>
      {events.map((event) => (
        <Row
          key={event.id}
          selected={event.id === id}
          onClick={() => void navigate({ to: "/events/$id", params: { id: event.id }, search })}
        >
          <Cell className="max-w-0">
            <span className="flex items-center gap-2">
              <Link
                to="/events/$id"
                params={{ id: event.id }}
                search={search}
                className="code truncate font-medium hover:text-accent-text"
              >
                {event.name}
              </Link>
              {event.test && <Badge tone="warn">{texts.events.test}</Badge>}
              {(event.marks?.length ?? 0) > 0 && <Badge tone="bad">{texts.events.marks}</Badge>}
            </span>
            <code className="code block truncate text-faint">{JSON.stringify(event.data)}</code>
            <Folded>
              {event.entity && <EntityLink entity={event.entity} />}
              <span className="shrink-0">
                <Ago at={event.accepted_at} />
              </span>
            </Folded>
          </Cell>
          <Cell folds className="max-w-0">
            <EntityLink entity={event.entity} />
          </Cell>
          <Cell>
            {event.run_count ? (
              <Badge tone="good">{texts.automations.runs(event.run_count)}</Badge>
            ) : (
              <span className="text-xs text-faint">{texts.values.nothing}</span>
            )}
          </Cell>
          <Cell folds className="text-soft">
            <Ago at={event.accepted_at} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
