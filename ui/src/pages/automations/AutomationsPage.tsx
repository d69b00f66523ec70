import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, SearchX, Upload, Workflow } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { automationsQuery } from "@/api/automations";
import { eventTypesQuery } from "@/api/events";
import { operatorsQuery } from "@/api/system";
import type { AutomationItem } from "@/api/types";
import { Button, buttonClass } from "@/parts/Button";
import { Chips } from "@/parts/Chips";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { Search } from "@/parts/Search";
import { Table } from "@/parts/Table";
import { texts } from "@/texts";
import { AutomationRow } from "./AutomationRow";
import { DeletedList } from "./DeletedList";
import { ImportDialog } from "./ImportDialog";
import { counted, isWanted, type Wanted } from "./search";

const columns = [
  { title: texts.automations.columns.on, className: "w-14" },
  { title: texts.automations.columns.name },
  { title: texts.automations.columns.priority, folds: true, className: "w-24" },
  { title: texts.automations.columns.lastRun, folds: true, className: "w-44" },
  { title: texts.automations.columns.success, folds: true, className: "w-40" },
  { title: texts.automations.columns.version, folds: true, className: "w-28" },
  { title: texts.automations.columns.menu, hidden: true, className: "w-12" },
];
const statuses = ["active", "paused", "draft", "archived"];
const DELETED = "deleted";

export function AutomationsPage() {
  const [importing, setImporting] = useState(false);
  const list = useInfiniteQuery(automationsQuery);
  const search = useSearch({ strict: false }) as Wanted;
  const navigate = useNavigate();
  const find = useCallback(
    (q: string) =>
      void navigate({ to: "/automations", search: (old) => ({ ...old, q: q || undefined }), replace: true }),
    [navigate],
  );
  const all = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const { q, status, folder, tag } = search;
  const shown = useMemo(
    () => all.filter((item) => isWanted(item, { q, status, folder, tag })),
    [all, q, status, folder, tag],
  );
  const folders = useMemo(() => counted(all.flatMap((item) => item.folder ?? [])), [all]);
  const tags = useMemo(() => counted(all.flatMap((item) => item.tags ?? [])), [all]);
  return (
    <Page
      title={texts.automations.title}
      lead={texts.automations.lead}
      actions={
        <>
          <Button icon={<Upload size={14} />} onClick={() => setImporting(true)}>
            {texts.automations.import}
          </Button>
          <Link to="/automations/new" className={buttonClass("primary")}>
            <Plus size={15} aria-hidden />
            {texts.automations.new}
          </Link>
        </>
      }
    >
      {list.isSuccess && (
        <div className="mb-3 flex flex-wrap items-center gap-3">
          <Search
            label={texts.automations.search}
            placeholder={texts.automations.searchHint}
            value={search.q ?? ""}
            onChange={find}
            wait={120}
          />
          <Chips
            label={texts.runs.statusFilter}
            value={search.status}
            choices={[
              ...statuses.map((status) => ({
                value: status,
                title: texts.status[status] ?? status,
                count: all.filter((item) => item.status === status).length,
              })),
              { value: DELETED, title: texts.automations.deletedChip },
            ]}
            onChange={(status) =>
              void navigate({ to: "/automations", search: (old) => ({ ...old, status }), replace: true })
            }
          />
          {folders.length > 0 && (
            <Chips
              label={texts.automations.folderFilter}
              value={folder}
              choices={folders}
              onChange={(folder) =>
                void navigate({ to: "/automations", search: (old) => ({ ...old, folder }), replace: true })
              }
            />
          )}
          {tags.length > 0 && (
            <Chips
              label={texts.automations.tagFilter}
              value={tag}
              choices={tags}
              onChange={(tag) =>
                void navigate({ to: "/automations", search: (old) => ({ ...old, tag }), replace: true })
              }
            />
          )}
        </div>
      )}
      <div className="card overflow-hidden">
        {status === DELETED ? (
          <DeletedList />
        ) : list.isPending ? (
          <SkeletonRows />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the automations")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : (
          <Body all={all} shown={shown} q={search.q ?? ""} onClear={() => void navigate({ to: "/automations" })} />
        )}
        {status !== DELETED && <More query={list} />}
      </div>
      <Outlet />
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </Page>
  );
}

function Body({
  all,
  shown,
  q,
  onClear,
}: {
  all: AutomationItem[];
  shown: AutomationItem[];
  q: string;
  onClear: () => void;
}) {
  const operators = useQuery(operatorsQuery).data ?? [];
  const eventTypes = useQuery(eventTypesQuery).data ?? [];
  if (all.length === 0) {
    return (
      <Empty
        icon={<Workflow size={20} />}
        title={texts.automations.empty}
        action={
          <Link to="/automations/new" className={buttonClass("primary")}>
            {texts.automations.new}
          </Link>
        }
      >
        {texts.automations.emptyHelp}
      </Empty>
    );
  }
  if (shown.length === 0) {
    return (
      <Empty
        icon={<SearchX size={20} />}
        title={texts.automations.noMatch}
        action={<Button onClick={onClear}>{texts.actions.clear}</Button>}
      >
        {q && texts.automations.noMatchHelp(q)}
      </Empty>
    );
  }
  return (
    <Table columns={columns} label={texts.automations.title}>
      {shown.map((item) => (
        <AutomationRow
          key={item.id}
          item={item}
          operators={operators}
          eventTitle={eventTypes.find((one) => one.name === item.trigger.event)?.title ?? null}
        />
      ))}
    </Table>
  );
}
