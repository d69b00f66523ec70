import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Pencil, Plus, Trash2, Users } from "lucide-react";
import { useState } from "react";
import { type Segment, segments, segmentsQuery } from "@/api/segments";
import { operatorsQuery } from "@/api/system";
import { inWords } from "@/condition-builder/words";
import { Button, IconButton } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { Menu } from "@/parts/Menu";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { Badge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { MembersDialog } from "./MembersDialog";
import { SegmentDialog } from "./SegmentDialog";

const said = texts.segments;
const POLL_MILLISECONDS = 2_000;
const columns = [
  { title: said.columns.name, className: "w-56 max-md:w-auto" },
  { title: said.columns.type, folds: true, className: "w-32" },
  { title: said.columns.who, folds: true },
  { title: said.columns.members, className: "w-28" },
  { title: said.columns.menu, hidden: true, className: "w-12" },
];

/** The segments by name, with how many are in each. */
export function SegmentsPage() {
  const list = useInfiniteQuery({
    ...segmentsQuery,
    // While members are being found, the counts move.
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((one) => one.status === "computing")) && POLL_MILLISECONDS,
  });
  const [edited, edit] = useState<Segment | "new" | null>(null);
  const all = list.data?.pages.flatMap((page) => page.items) ?? [];
  const add = (
    <Button look="primary" icon={<Plus size={15} />} onClick={() => edit("new")}>
      {said.new}
    </Button>
  );
  return (
    <Page title={said.title} lead={said.lead} actions={all.length > 0 && add}>
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the segments")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : all.length === 0 ? (
          <Empty icon={<Users size={20} />} title={said.empty} action={add}>
            {said.emptyHelp}
          </Empty>
        ) : (
          <Table columns={columns} label={said.title}>
            {all.map((one) => (
              <SegmentRow key={one.id} segment={one} onEdit={() => edit(one)} />
            ))}
          </Table>
        )}
        <More query={list} />
      </div>
      {edited !== null && <SegmentDialog segment={edited === "new" ? null : edited} onClose={() => edit(null)} />}
    </Page>
  );
}

function SegmentRow({ segment, onEdit }: { segment: Segment; onEdit: () => void }) {
  const operators = useQuery(operatorsQuery).data ?? [];
  const [opened, open] = useState<"members" | "delete" | null>(null);
  const client = useQueryClient();
  const say = useSay();
  const remove = useMutation({
    mutationFn: () => segments.delete(segment.id),
    onSuccess: () => {
      say.done(said.deleted(segment.name));
      return client.invalidateQueries({ queryKey: ["segments"] });
    },
    onError: (error) => say.failed(texts.errors.action(`delete “${segment.name}”`), error),
    onSettled: () => open(null),
  });
  const words = segment.kind === "manual" ? said.byHand : inWords(segment.condition, operators) || segment.words;
  return (
    <Row onClick={onEdit}>
      <Cell className="max-w-0">
        <button type="button" onClick={onEdit} className="block max-w-full truncate font-medium hover:text-accent-text">
          {segment.name}
        </button>
        {segment.description && <p className="truncate text-xs text-faint">{segment.description}</p>}
        <Folded>
          <span className="truncate">{words || said.everyone}</span>
        </Folded>
      </Cell>
      <Cell folds>
        <code className="code">{segment.entity_type}</code>
      </Cell>
      <Cell folds className="max-w-0">
        <span className="block truncate" title={words}>
          {words || said.everyone}
        </span>
      </Cell>
      <Cell>
        <button
          type="button"
          onClick={() => open("members")}
          aria-label={said.members(segment.name)}
          className="font-medium text-accent-text tabular-nums hover:underline"
        >
          {segment.members.toLocaleString()}
        </button>{" "}
        {segment.status === "computing" && <Badge tone="info">{said.computing}</Badge>}
      </Cell>
      <Cell>
        <Menu
          label={said.menu(segment.name)}
          trigger={<IconButton label={said.menu(segment.name)} icon={<Ellipsis size={16} />} />}
          entries={[
            { label: texts.actions.edit, icon: <Pencil size={14} />, onSelect: onEdit },
            { label: said.seeMembers, icon: <Users size={14} />, onSelect: () => open("members") },
            "line",
            { label: texts.actions.delete, icon: <Trash2 size={14} />, danger: true, onSelect: () => open("delete") },
          ]}
        />
        {opened === "members" && <MembersDialog segment={segment} onClose={() => open(null)} />}
        {opened === "delete" && (
          <Confirm
            title={said.deleteTitle(segment.name)}
            confirm={texts.actions.delete}
            danger
            busy={remove.isPending}
            onCancel={() => open(null)}
            onConfirm={() => remove.mutate()}
          >
            {said.deleteHelp}
          </Confirm>
        )}
      </Cell>
    </Row>
  );
}
