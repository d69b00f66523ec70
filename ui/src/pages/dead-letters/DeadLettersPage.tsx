import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useSearch } from "@tanstack/react-router";
import { MailCheck } from "lucide-react";
import { groupsQuery, type LetterFilter, type LetterGroup } from "@/api/dead-letters";
import { statsQuery } from "@/api/system";
import { Select } from "@/parts/Field";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { Badge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { OneCause } from "./OneCause";

const statuses = ["open", "retrying", "resolved", "discarded"];
const columns = [
  { title: texts.letters.columns.cause },
  { title: texts.letters.columns.where, folds: true, className: "w-56" },
  { title: texts.letters.columns.count, className: "w-24" },
  { title: texts.letters.columns.at, folds: true, className: "w-28" },
];

/** What was given up on: by cause first, then the letters of one cause. */
export function DeadLettersPage() {
  const { fingerprint, ...filter } = useSearch({ from: "/dead-letters" });
  const navigate = useNavigate();
  const stats = useQuery(statsQuery).data?.dead_letters ?? {};
  const set = (change: LetterFilter) =>
    void navigate({ to: "/dead-letters", search: { ...filter, fingerprint, ...change }, replace: true });
  const overCap = stats.over_cap ?? 0;
  return (
    <Page title={texts.letters.title} lead={texts.letters.lead}>
      {overCap > 0 && (
        <p role="note" className="mb-3 rounded-lg bg-warn-wash px-3.5 py-2.5 text-sm text-warn">
          {texts.letters.overCap(overCap)}
        </p>
      )}
      <div className="mb-3 flex flex-wrap items-center gap-2.5">
        <Select
          aria-label={texts.letters.status}
          className="w-44!"
          value={filter.status ?? "open"}
          onChange={(event) => set({ status: event.target.value === "open" ? undefined : event.target.value })}
        >
          {statuses.map((status) => (
            <option key={status} value={status}>
              {`${texts.status[status]}${stats[status] ? ` (${stats[status].toLocaleString()})` : ""}`}
            </option>
          ))}
        </Select>
        {!fingerprint && (
          <Select
            aria-label={texts.letters.kind}
            className="w-44!"
            value={filter.kind ?? ""}
            onChange={(event) => set({ kind: event.target.value || undefined })}
          >
            <option value="">{texts.letters.allKinds}</option>
            {Object.entries(texts.letters.kinds).map(([kind, title]) => (
              <option key={kind} value={kind}>
                {title}
              </option>
            ))}
          </Select>
        )}
      </div>
      {fingerprint ? (
        <OneCause fingerprint={fingerprint} status={filter.status ?? "open"} />
      ) : (
        <Causes filter={filter} onPick={(group) => set({ fingerprint: group.fingerprint })} />
      )}
      <Outlet />
    </Page>
  );
}

function Causes({ filter, onPick }: { filter: LetterFilter; onPick: (group: LetterGroup) => void }) {
  const list = useInfiniteQuery(groupsQuery({ ...filter, status: filter.status ?? "open" }));
  const groups = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <div className="card overflow-hidden">
      {list.isPending ? (
        <SkeletonRows rows={6} />
      ) : list.error ? (
        <div className="p-4">
          <ErrorNote what={texts.errors.load("the dead letters")} error={list.error} onRetry={() => list.refetch()} />
        </div>
      ) : groups.length === 0 ? (
        <Empty icon={<MailCheck size={20} />} title={isFiltered ? texts.letters.noneOf : texts.letters.empty}>
          {!isFiltered && texts.letters.emptyHelp}
        </Empty>
      ) : (
        <Table columns={columns} label={texts.letters.title}>
          {groups.map((group) => (
            <Row key={group.fingerprint} onClick={() => onPick(group)}>
              <Cell className="max-w-0">
                <button
                  type="button"
                  onClick={() => onPick(group)}
                  className="block w-full truncate text-left font-medium hover:underline"
                >
                  {group.message}
                </button>
                <span className="mt-0.5 flex items-center gap-2 text-xs text-faint">
                  <code className="code">{group.code}</code>
                </span>
                <Folded>
                  <span className="truncate">
                    <Where group={group} />
                  </span>
                </Folded>
              </Cell>
              <Cell folds className="max-w-0">
                <span className="block truncate">
                  <Where group={group} />
                </span>
              </Cell>
              <Cell>
                <Badge tone={(filter.status ?? "open") === "open" ? "bad" : "idle"}>
                  {group.count.toLocaleString()}
                </Badge>
              </Cell>
              <Cell folds className="text-faint">
                <Ago at={group.last_at} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <More query={list} />
    </div>
  );
}

function Where({ group }: { group: LetterGroup }) {
  if (!group.automation) return <>{group.event_name ?? texts.letters.kindOne[group.kind]}</>;
  return (
    <>
      {group.automation.name}
      {group.step_id && <span className="ml-1.5 text-faint">{texts.letters.at(group.step_id)}</span>}
    </>
  );
}
