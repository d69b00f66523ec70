import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { problemsOf } from "@/api/client";
import { entities, entityTypesQuery } from "@/api/entities";
import { type Segment, type SegmentDraft, segments } from "@/api/segments";
import { operatorsQuery } from "@/api/system";
import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import { ofFields } from "@/condition-builder/facts";
import { asGroup } from "@/condition-builder/model";
import { Button } from "@/parts/Button";
import { Choice } from "@/parts/Choice";
import { Combobox } from "@/parts/Combobox";
import { Dialog } from "@/parts/Dialog";
import { Field, TextInput } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { Switch } from "@/parts/Switch";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

const said = texts.segments;
const KINDS: Segment["kind"][] = ["dynamic", "manual"];

type Props = { segment: Segment | null; onSaved?: (segment: Segment) => void; onClose: () => void };

/** A new segment, or another name and condition for one that is there, on the revision that was read. */
export function SegmentDialog({ segment, onSaved, onClose }: Props) {
  const client = useQueryClient();
  const say = useSay();
  const types = useQuery(entityTypesQuery).data ?? [];
  const operators = useQuery(operatorsQuery).data ?? [];
  const [draft, setDraft] = useState<SegmentDraft>({
    ...{ name: segment?.name ?? "", entity_type: segment?.entity_type ?? "", description: segment?.description ?? "" },
    ...{ condition: segment?.condition ? asGroup(segment.condition) : null, announce: false },
  });
  const set = (change: Partial<SegmentDraft>) => setDraft((old) => ({ ...old, ...change }));
  const kind = segment?.kind ?? draft.kind ?? "dynamic";
  const facts = useFacts(draft.entity_type);
  const save = useMutation({
    mutationFn: () => {
      const condition = kind === "dynamic" ? asGroup(draft.condition) : null;
      const sent = { ...draft, name: draft.name.trim(), condition };
      return segment ? segments.save(segment.id, sent, segment.revision) : segments.create(sent);
    },
    onSuccess: (saved) => {
      say.done(segment ? said.saved(saved.name) : said.created(saved.name));
      onSaved?.(saved);
      onClose();
      return client.invalidateQueries({ queryKey: ["segments"] });
    },
  });
  const problems = problemsOf(save.error);
  const error = (path: string) => problems.find((problem) => problem.path.startsWith(path))?.message;
  return (
    <Dialog
      title={segment ? said.edit(segment.name) : said.new}
      size="md"
      light={false}
      focusField
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button
            look="primary"
            busy={save.isPending}
            disabled={!draft.name.trim() || !draft.entity_type}
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
          <Field label={said.name} error={error("name")} required>
            {(control) => (
              <TextInput {...control} value={draft.name} onChange={(event) => set({ name: event.target.value })} />
            )}
          </Field>
          <Field label={said.type} hint={segment ? said.typeStays : undefined} error={error("entity_type")} required>
            {(control) =>
              segment ? (
                <TextInput {...control} value={draft.entity_type} disabled />
              ) : (
                <Combobox
                  {...control}
                  value={draft.entity_type}
                  choices={types.map((one) => ({ value: one.type, hint: one.count.toLocaleString() }))}
                  onChange={(entity_type) => set({ entity_type })}
                />
              )
            }
          </Field>
        </div>
        <Field label={said.description} error={error("description")}>
          {(control) => (
            <TextInput
              {...control}
              value={draft.description}
              onChange={(event) => set({ description: event.target.value })}
            />
          )}
        </Field>
        {!segment && (
          <Choice
            label={said.who}
            value={kind}
            choices={KINDS.map((value) => ({ value, ...said.kinds[value] }))}
            onChange={(kind) => set({ kind })}
          />
        )}
        {kind === "dynamic" && (
          <>
            <section aria-label={said.who}>
              <h3 className="text-sm font-medium">{said.who}</h3>
              <p className="mb-2 text-xs text-faint">{said.whoHelp}</p>
              <ConditionBuilder
                value={asGroup(draft.condition)}
                onChange={(condition) => set({ condition })}
                facts={facts}
                operators={operators}
                sample={null}
                problems={problems}
                empty={said.everyone}
              />
              {segment?.follows_clock && <p className="mt-2 text-xs text-faint">{said.followsClock}</p>}
            </section>
            <div>
              <div className="flex items-center gap-2.5 text-sm">
                <Switch label={said.announce} checked={draft.announce} onChange={(announce) => set({ announce })} />
                <span aria-hidden className="font-medium">
                  {said.announce}
                </span>
              </div>
              <p className="mt-1 text-xs text-faint">{said.announceHelp}</p>
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}

/** What a condition over an entity of this type can read, as far as one of them shows it. */
function useFacts(type: string) {
  const query = useQuery({
    queryKey: ["entities", "fields", type],
    queryFn: () => entities.list(type, { limit: 1 }),
    enabled: type !== "",
    retry: false,
    staleTime: 60_000,
  });
  const one = query.data?.items[0];
  return useMemo(() => ofFields(one), [one]);
}
