import { useQuery } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import { useState } from "react";
import { entityTypesQuery } from "@/api/entities";
import type { EventType, JsonObject } from "@/api/types";
import { Combobox } from "@/parts/Combobox";
import { Field, FieldError, Select } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { brief } from "@/parts/json";
import { texts } from "@/texts";
import { changeOf, withChange } from "../change";
import { kindOf, newTrigger, type TriggerKind } from "../trigger";
import { ChangeForm } from "./ChangeForm";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";
import { ScheduleForm } from "./ScheduleForm";
import { SegmentForm } from "./SegmentForm";

/** What starts a run: an event, a change of an entity, a schedule, a date, or only a person. */
export function TriggerForm(props: BodyProps) {
  const { document, checks, onEdit } = props;
  const types = (useQuery(entityTypesQuery).data ?? []).map((one) => one.type);
  const [chosen, choose] = useState<TriggerKind | null>(null);
  const found = kindOf(document.trigger, types);
  // Somebody who asks for an event keeps its form, though the name they type may be that of a change.
  const kind = chosen === "event" && found === "change" ? "event" : found;
  const error = checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message;
  const kinds = (Object.keys(texts.trigger.kinds) as TriggerKind[]).filter(
    (one) => (one !== "other" || kind === "other") && (one !== "change" || types.length > 0 || kind === "change"),
  );
  const change = (next: TriggerKind) => {
    choose(next);
    const before = changeOf(document, types);
    const rest = before ? withChange(document, before, { ...before, field: "" }) : document;
    onEdit({ ...rest, trigger: newTrigger(next, document.trigger, types[0]) }, "trigger");
  };
  return (
    <>
      <FormHead title={texts.trigger.title} lead={texts.trigger.lead} />
      <div className="mb-5">
        <Field label={texts.trigger.how} hint={texts.trigger.kindLeads[kind] || undefined}>
          {(control) => (
            <Select {...control} value={kind} onChange={(event) => change(event.target.value as TriggerKind)}>
              {kinds.map((name) => (
                <option key={name} value={name}>
                  {texts.trigger.kinds[name]}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {kind === "event" && <EventForm {...props} />}
      {kind === "change" && <ChangeForm {...props} types={types} />}
      {kind === "segment" && <SegmentForm {...props} />}
      {(kind === "schedule" || kind === "dates") && <ScheduleForm {...props} />}
      {kind === "other" && (
        <>
          <JsonEditor
            label={texts.trigger.asJson}
            rows={8}
            value={document.trigger as JsonObject}
            onChange={(value) => {
              if (value !== null && typeof value === "object" && !Array.isArray(value))
                onEdit({ ...document, trigger: value as JsonObject }, "trigger");
            }}
          />
          {error && <FieldError>{error}</FieldError>}
        </>
      )}
    </>
  );
}

/** A known event type, or any name. */
function EventForm({ document, eventTypes, facts, checks, onPick, onEdit }: BodyProps) {
  const name = document.trigger.event ?? "";
  const type = eventTypes.find((one) => one.name === name);
  const error = checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message;
  const carried = facts.filter((fact) => !/^(entity|event|now)\./.test(fact.path));
  const hint = type?.entity
    ? texts.trigger.about(type.entity.type)
    : name && !type
      ? texts.trigger.unknown
      : texts.trigger.hint;
  return (
    <>
      <Field label={texts.trigger.event} error={name ? error : undefined} hint={hint} required>
        {(control) => (
          <Combobox
            {...control}
            mono
            placeholder={texts.trigger.placeholder}
            value={name}
            choices={eventTypes.map((one) => ({ value: one.name, hint: one.title ?? undefined }))}
            onChange={(event) => onEdit({ ...document, trigger: { event } }, "trigger")}
          />
        )}
      </Field>
      {!type && eventTypes.length > 0 && (
        <KnownEvents
          types={eventTypes}
          onPick={(event) => {
            onEdit({ ...document, trigger: { event } });
            onPick({ part: "trigger" }); // the button that was pressed is gone
          }}
        />
      )}
      {type?.description && <p className="mt-3 text-sm text-soft">{type.description}</p>}
      {name && carried.length > 0 && (
        <section aria-label={texts.trigger.sample} className="mt-6">
          <h4 className="eyebrow mb-2">{texts.trigger.sample}</h4>
          <dl className="card divide-y divide-line">
            {carried.map((fact) => (
              <div key={fact.path} className="flex items-baseline gap-3 px-3 py-1.5">
                <dt className="code min-w-0 flex-1 truncate">{fact.path}</dt>
                <dd className="text-xs text-faint">{fact.type}</dd>
                <dd className="code w-2/5 truncate text-right text-soft">
                  {fact.example === undefined ? "" : brief(fact.example, 40)}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </>
  );
}

function KnownEvents({ types, onPick }: { types: EventType[]; onPick: (name: string) => void }) {
  return (
    <section aria-label={texts.trigger.known} className="mt-6">
      <h4 className="eyebrow mb-2">{texts.trigger.known}</h4>
      <ul className="grid gap-2 sm:grid-cols-2">
        {types.map((type) => (
          <li key={type.name}>
            <button
              type="button"
              onClick={() => onPick(type.name)}
              className="card flex w-full items-center gap-2.5 p-2.5 text-left hover:border-line-strong"
            >
              <span
                aria-hidden
                className="grid size-8 shrink-0 place-items-center rounded-md bg-accent-wash text-accent-text"
              >
                <Zap size={15} />
              </span>
              <span className="min-w-0">
                <span className="block truncate font-medium">{type.title || type.name}</span>
                <code className="code block truncate text-faint">{type.name}</code>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
