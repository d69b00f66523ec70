import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { problemsOf } from "@/api/client";
import { eventQuery, events, eventTypesQuery, type NewEvent } from "@/api/events";
import type { EventType, Json, JsonObject } from "@/api/types";
import { Button } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { Dialog } from "@/parts/Dialog";
import { Field, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { ErrorNote } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { readEntity } from "./emit";

type Form = { name: string; data: Json; entity: string };

/** Emits a real event by hand. `again` names an event to start from. */
export function EmitDialog({ again, onClose }: { again?: string; onClose: () => void }) {
  const types = useQuery(eventTypesQuery).data;
  const [form, setForm] = useState<Form>({ name: "", data: {}, entity: "" });
  const [valid, setValid] = useState(true);
  useStart(again, types, setForm);
  const type = types?.find((one) => one.name === form.name);
  const emit = useEmit(onClose);
  const badEntity = form.entity !== "" && !readEntity(form.entity);
  const send = () =>
    emit.mutate({
      name: form.name,
      data: form.data as JsonObject,
      entity: form.entity ? readEntity(form.entity) : undefined,
    });
  const problems = problemsOf(emit.error);
  return (
    <Dialog
      title={texts.emit.title}
      description={texts.emit.lead}
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="primary" busy={emit.isPending} disabled={!form.name || !valid || badEntity} onClick={send}>
            {texts.emit.send}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {emit.error && <ErrorNote what={texts.emit.refused} error={emit.error} />}
        <Field
          label={texts.emit.type}
          required
          hint={type?.description ?? undefined}
          error={problems.find((one) => one.path.endsWith("name"))?.message}
        >
          {(control) => (
            <Combobox
              {...control}
              mono
              placeholder={texts.trigger.placeholder}
              value={form.name}
              choices={(types ?? []).map((one) => ({ value: one.name, hint: one.title ?? undefined }))}
              onChange={(name) => {
                const next = types?.find((one) => one.name === name);
                setForm((old) => ({ ...old, name, data: next?.sample ?? old.data }));
              }}
            />
          )}
        </Field>
        <div className="flex flex-col gap-1.5">
          <div className="flex items-center">
            <span className="text-sm font-medium">{texts.emit.data}</span>
            {type?.sample && (
              <Button
                size="sm"
                look="quiet"
                className="ml-auto"
                onClick={() => setForm((old) => ({ ...old, data: type.sample }))}
              >
                {texts.emit.sample}
              </Button>
            )}
          </div>
          <JsonEditor
            label={texts.emit.data}
            rows={13}
            value={form.data}
            onValid={setValid}
            onChange={(data) => setForm((old) => ({ ...old, data }))}
          />
          {type?.schema && <p className="text-xs text-faint">{texts.emit.schemaHint}</p>}
        </div>
        <Field
          label={texts.emit.entity}
          hint={texts.emit.entityHint}
          error={badEntity ? texts.emit.badEntity : undefined}
        >
          {(control) => (
            <TextInput
              {...control}
              value={form.entity}
              onChange={(event) => setForm((old) => ({ ...old, entity: event.target.value }))}
            />
          )}
        </Field>
      </div>
    </Dialog>
  );
}

/** Fills the form once: from the event to emit again, else from the first event type that has a sample. */
function useStart(again: string | undefined, types: EventType[] | undefined, setForm: (form: Form) => void) {
  const started = useRef(false);
  const event = useQuery({ ...eventQuery(again ?? ""), enabled: Boolean(again) }).data;
  useEffect(() => {
    if (started.current) return;
    const first = types?.find((type) => type.sample) ?? types?.[0];
    if (again && event)
      setForm({
        name: event.name,
        data: event.data,
        entity: event.entity ? `${event.entity.type}:${event.entity.id}` : "",
      });
    else if (!again && first) setForm({ name: first.name, data: first.sample ?? {}, entity: "" });
    else return;
    started.current = true;
  }, [again, event, types, setForm]);
}

function useEmit(onClose: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  return useMutation({
    mutationFn: (event: NewEvent) => events.emit(event),
    onSuccess: (answer, event) => {
      const id = answer.ids[0];
      const see = id
        ? { label: texts.emit.see, run: () => void navigate({ to: "/events/$id", params: { id } }) }
        : undefined;
      say.done(texts.emit.sent(event.name), see);
      onClose();
      return client.invalidateQueries({ queryKey: ["events"] });
    },
  });
}
