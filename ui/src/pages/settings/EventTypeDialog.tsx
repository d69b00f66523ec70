import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { problemsOf } from "@/api/client";
import { eventTypes, eventTypesQuery } from "@/api/events";
import type { EventType, Json, JsonObject, JsonSchema } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, Select, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { ErrorNote } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

const blank: EventType = {
  name: "",
  title: null,
  description: null,
  schema: { type: "object", properties: {} },
  entity: null,
  on_invalid: "refuse",
  sample: {},
};

export function EventTypeDialog({ type, onClose }: { type: EventType | null; onClose: () => void }) {
  const client = useQueryClient();
  const say = useSay();
  const [form, setForm] = useState<EventType>(type ?? blank);
  const [bad, setBad] = useState<Record<string, boolean>>({});
  const set = (change: Partial<EventType>) => setForm((old) => ({ ...old, ...change }));
  const save = useMutation({
    mutationFn: () => {
      const { name, title, description, schema, entity, on_invalid, sample } = form;
      const bound = entity?.type && entity.id ? entity : null;
      return eventTypes.put(name.trim(), {
        title: title || null,
        description: description || null,
        schema,
        entity: bound,
        on_invalid,
        sample,
      });
    },
    onSuccess: () => {
      say.done(texts.eventTypes.saved(form.name));
      onClose();
      return client.invalidateQueries(eventTypesQuery);
    },
  });
  const error = (path: string) => problemsOf(save.error).find((problem) => problem.path.startsWith(path))?.message;
  return (
    <Dialog
      title={type ? texts.eventTypes.edit(type.name) : texts.eventTypes.new}
      size="lg"
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button
            look="primary"
            busy={save.isPending}
            disabled={!form.name.trim() || Object.values(bad).some(Boolean)}
            onClick={() => save.mutate()}
          >
            {texts.actions.save}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {save.error && <ErrorNote error={save.error} />}
        <div className="grid gap-4 sm:grid-cols-2">
          {!type && (
            <Field label={texts.eventTypes.name} hint={texts.eventTypes.nameHint} error={error("name")} required>
              {(control) => (
                <TextInput
                  {...control}
                  className="font-mono text-xs!"
                  value={form.name}
                  onChange={(event) => set({ name: event.target.value })}
                />
              )}
            </Field>
          )}
          <Field label={texts.eventTypes.title} error={error("title")}>
            {(control) => (
              <TextInput
                {...control}
                value={form.title ?? ""}
                onChange={(event) => set({ title: event.target.value })}
              />
            )}
          </Field>
          <Field label={texts.eventTypes.description} error={error("description")}>
            {(control) => (
              <TextInput
                {...control}
                value={form.description ?? ""}
                onChange={(event) => set({ description: event.target.value })}
              />
            )}
          </Field>
          <Field label={texts.eventTypes.onInvalid}>
            {(control) => (
              <Select
                {...control}
                value={form.on_invalid}
                onChange={(event) => set({ on_invalid: event.target.value as EventType["on_invalid"] })}
              >
                <option value="refuse">{texts.eventTypes.refuse}</option>
                <option value="warn">{texts.eventTypes.warn}</option>
              </Select>
            )}
          </Field>
          <Field label={texts.eventTypes.entityType} error={error("entity.type")}>
            {(control) => (
              <TextInput
                {...control}
                value={form.entity?.type ?? ""}
                onChange={(event) => set({ entity: { id: form.entity?.id ?? "", type: event.target.value } })}
              />
            )}
          </Field>
          <Field label={texts.eventTypes.entityId} hint={texts.eventTypes.entityIdHint} error={error("entity.id")}>
            {(control) => (
              <TextInput
                {...control}
                className="font-mono text-xs!"
                value={form.entity?.id ?? ""}
                onChange={(event) => set({ entity: { type: form.entity?.type ?? "", id: event.target.value } })}
              />
            )}
          </Field>
        </div>
        <div className="grid gap-4 lg:grid-cols-2">
          <Labelled title={texts.eventTypes.schema}>
            <JsonEditor
              label={texts.eventTypes.schema}
              rows={16}
              value={form.schema as Json}
              onValid={(valid) => setBad((old) => ({ ...old, schema: !valid }))}
              onChange={(schema) => set({ schema: schema as JsonSchema | null })}
            />
          </Labelled>
          <Labelled title={texts.eventTypes.sample}>
            <JsonEditor
              label={texts.eventTypes.sample}
              rows={16}
              value={form.sample}
              onValid={(valid) => setBad((old) => ({ ...old, sample: !valid }))}
              onChange={(sample) => set({ sample: sample as JsonObject | null })}
            />
          </Labelled>
        </div>
      </div>
    </Dialog>
  );
}

function Labelled({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-col gap-1.5">
      <span className="text-sm font-medium">{title}</span>
      {children}
    </div>
  );
}
