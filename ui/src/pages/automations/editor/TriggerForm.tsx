import { Zap } from "lucide-react";
import type { EventType, JsonObject } from "@/api/types";
import { Combobox } from "@/parts/Combobox";
import { Field, FieldError, Select } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { brief } from "@/parts/json";
import { texts } from "@/texts";
import { kindOf, newTrigger, type TriggerKind } from "../trigger";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";

/** What starts a run: an event, a schedule, or only a person. */
export function TriggerForm(props: BodyProps) {
  const { document, checks, onEdit } = props;
  const kind = kindOf(document.trigger);
  const error = checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message;
  return (
    <>
      <FormHead title={texts.trigger.title} lead={texts.trigger.lead} />
      <div className="mb-4">
        <Field label={texts.trigger.how} hint={kind === "manual" ? texts.trigger.byHandLead : undefined}>
          {(control) => (
            <Select
              {...control}
              value={kind}
              onChange={(event) =>
                onEdit({ ...document, trigger: newTrigger(event.target.value as TriggerKind) }, "trigger")
              }
            >
              {Object.entries(texts.trigger.kinds).map(([name, words]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {kind === "event" && <EventForm {...props} />}
      {kind === "schedule" && (
        <>
          <p className="mb-2 text-sm text-soft">{texts.trigger.scheduleLead}</p>
          <JsonEditor
            label={texts.trigger.schedule}
            rows={8}
            value={document.trigger.schedule ?? {}}
            onChange={(value) => {
              if (value !== null && typeof value === "object" && !Array.isArray(value))
                onEdit({ ...document, trigger: { schedule: value as JsonObject } }, "trigger");
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
  const hint = type?.entity ? texts.trigger.about(type.entity.type) : name && !type ? texts.trigger.unknown : undefined;
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
