import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2, Undo2 } from "lucide-react";
import { automations, deletedQuery } from "@/api/automations";
import type { AutomationItem } from "@/api/types";
import { Button } from "@/parts/Button";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Cell, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { triggerWords } from "./trigger";
import { VersionBadge } from "./VersionBadge";

const columns = [
  { title: texts.automations.columns.name },
  { title: texts.automations.columns.version, folds: true, className: "w-28" },
  { title: texts.automations.deletedAt, className: "w-36" },
  { title: texts.automations.columns.menu, hidden: true, className: "w-36" },
];

/** What was deleted, and the way back for each: with its versions, and on if it was on. */
export function DeletedList() {
  const list = useInfiniteQuery(deletedQuery);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <SkeletonRows rows={3} />;
  if (list.error) {
    return (
      <div className="p-4">
        <ErrorNote what={texts.errors.load("the automations")} error={list.error} onRetry={() => list.refetch()} />
      </div>
    );
  }
  if (items.length === 0) {
    return (
      <Empty icon={<Trash2 size={20} />} title={texts.automations.noDeleted}>
        {texts.automations.noDeletedHelp}
      </Empty>
    );
  }
  return (
    <>
      <Table columns={columns} label={texts.automations.deletedTitle}>
        {items.map((item) => (
          <DeletedRow key={item.id} item={item} />
        ))}
      </Table>
      <More query={list} />
    </>
  );
}

function DeletedRow({ item }: { item: AutomationItem }) {
  const client = useQueryClient();
  const say = useSay();
  const undelete = useMutation({
    mutationFn: () => automations.undelete(item.id),
    onSuccess: () => {
      say.done(texts.automations.restored(item.name));
      return client.invalidateQueries({ queryKey: ["automations"] });
    },
    onError: (error) => say.failed(texts.errors.action(`bring back “${item.name}”`), error),
  });
  return (
    <Row>
      <Cell className="max-w-0">
        <span className="block truncate font-medium">{item.name}</span>
        <span className="block truncate text-xs text-soft">{triggerWords(item.trigger)}</span>
      </Cell>
      <Cell folds>
        <VersionBadge item={item} />
      </Cell>
      <Cell className="text-soft">{item.deleted_at && <Ago at={item.deleted_at} />}</Cell>
      <Cell className="text-right">
        <Button size="sm" icon={<Undo2 size={13} />} busy={undelete.isPending} onClick={() => undelete.mutate()}>
          {texts.automations.bringBack}
        </Button>
      </Cell>
    </Row>
  );
}
