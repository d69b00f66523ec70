import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Activity, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { eventTypes, eventTypesQuery } from "@/api/events";
import type { EventType } from "@/api/types";
import { factsOf } from "@/condition-builder/facts";
import { Button, IconButton } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Cell, Row, Table } from "@/parts/Table";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { EventTypeDialog } from "./EventTypeDialog";
import { SectionHead } from "./SectionHead";

const columns = [
  { title: texts.eventTypes.columns.name },
  { title: texts.eventTypes.columns.schema, folds: true, className: "w-28" },
  { title: texts.eventTypes.columns.entity, folds: true, className: "w-64" },
  { title: texts.eventTypes.columns.invalid, folds: true, className: "w-48" },
  { title: texts.eventTypes.columns.menu, hidden: true, className: "w-24" },
];

export function EventTypesPage() {
  const list = useQuery(eventTypesQuery);
  const [editing, setEditing] = useState<EventType | "new" | null>(null);
  const [deleting, setDeleting] = useState<EventType | null>(null);
  return (
    <>
      <SectionHead lead={texts.eventTypes.lead}>
        <Button look="primary" icon={<Plus size={14} />} onClick={() => setEditing("new")}>
          {texts.eventTypes.new}
        </Button>
      </SectionHead>
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the event types")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : list.data.length === 0 ? (
          <Empty icon={<Activity size={20} />} title={texts.eventTypes.empty}>
            {texts.eventTypes.emptyHelp}
          </Empty>
        ) : (
          <Table columns={columns} label={texts.settings.eventTypes}>
            {list.data.map((type) => (
              <TypeRow key={type.name} type={type} onEdit={() => setEditing(type)} onDelete={() => setDeleting(type)} />
            ))}
          </Table>
        )}
      </div>
      {editing && <EventTypeDialog type={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
      {deleting && <DeleteType type={deleting} onClose={() => setDeleting(null)} />}
    </>
  );
}

function TypeRow({ type, onEdit, onDelete }: { type: EventType; onEdit: () => void; onDelete: () => void }) {
  const fields = factsOf({ ...type, entity: null }, null).filter((fact) => !/^(event|now)\./.test(fact.path)).length;
  return (
    <Row onClick={onEdit}>
      <Cell className="max-w-0">
        <button
          type="button"
          onClick={onEdit}
          className="code block max-w-full truncate text-left font-medium hover:text-accent-text"
        >
          {type.name}
        </button>
        {type.title && <p className="truncate text-xs text-soft">{type.title}</p>}
      </Cell>
      <Cell folds className="text-soft">
        {type.schema ? texts.eventTypes.fields(fields) : texts.eventTypes.noSchema}
      </Cell>
      <Cell folds className="max-w-0 truncate text-soft">
        {type.entity ? (
          <>
            {type.entity.type} <code className="code text-faint">{type.entity.id}</code>
          </>
        ) : (
          texts.values.nothing
        )}
      </Cell>
      <Cell folds className="text-soft">
        {type.on_invalid === "refuse" ? texts.eventTypes.refuse : texts.eventTypes.warn}
      </Cell>
      <Cell>
        <span className="flex justify-end">
          <IconButton label={texts.eventTypes.edit(type.name)} icon={<Pencil size={14} />} onClick={onEdit} />
          <IconButton
            danger
            label={`${texts.actions.delete} ${type.name}`}
            icon={<Trash2 size={14} />}
            onClick={onDelete}
          />
        </span>
      </Cell>
    </Row>
  );
}

function DeleteType({ type, onClose }: { type: EventType; onClose: () => void }) {
  const client = useQueryClient();
  const say = useSay();
  const remove = useMutation({
    mutationFn: () => eventTypes.delete(type.name),
    onSuccess: () => {
      say.done(texts.eventTypes.deleted(type.name));
      return client.invalidateQueries(eventTypesQuery);
    },
    onError: (error) => say.failed(texts.errors.action(`delete ${type.name}`), error),
    onSettled: onClose,
  });
  return (
    <Confirm
      danger
      title={texts.eventTypes.deleteTitle(type.name)}
      confirm={texts.actions.delete}
      busy={remove.isPending}
      onCancel={onClose}
      onConfirm={() => remove.mutate()}
    >
      {texts.eventTypes.deleteHelp}
    </Confirm>
  );
}
