import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { eventTypesQuery } from "@/api/events";
import type { Json, JsonObject } from "@/api/types";
import { factsOf } from "@/condition-builder/facts";
import { Button, IconButton } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { InsertData } from "@/schema-form/InsertData";
import { numberOrText, placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import { DurationField } from "./DurationField";
import { OnFailure } from "./ParallelForm";
import type { Part } from "./part";
import { errorJustAt } from "./problems";
import { TargetSelect } from "./TargetSelect";

type MatchKind = "any" | "same" | "values";

function matchKind(match: Json | undefined): MatchKind {
  if (match === undefined || match === null) return "any";
  return typeof match === "string" || Array.isArray(match) ? "same" : "values";
}

/** The event a run waits for: its name, which of them it is, and what happens when it does not come. */
export function WaitForm(part: Part) {
  const { step, steps, at, set, error, addOn, actions, problems } = part;
  const types = useQuery(eventTypesQuery).data ?? [];
  const name = String(step.wait_for_event ?? "");
  const type = types.find((one) => one.name === name);
  const fields = factsOf(type, type?.sample ?? null, undefined)
    .filter((fact) => !/^(event|now|changed|previous)\b/.test(fact.path))
    .map((fact) => ({ value: fact.path, hint: fact.type ?? undefined }));
  const kind = matchKind(step.match);
  const starts: Record<MatchKind, Json | undefined> = { any: undefined, same: [""], values: { "": "" } };
  const isLimited = step.timeout !== undefined && step.timeout !== null;
  return (
    <>
      <Field label={texts.trigger.event} error={error("wait_for_event")} required>
        {(control) => (
          <Combobox
            {...control}
            mono
            placeholder="task/completed"
            value={name}
            choices={types.map((one) => ({ value: one.name, hint: one.title ?? undefined }))}
            onChange={(event) => set({ ...step, wait_for_event: event })}
          />
        )}
      </Field>
      <Field label={texts.steps.match} error={errorJustAt(problems, `steps[${at}].match`)}>
        {(control) => (
          <Select
            {...control}
            value={kind}
            onChange={(event) => set({ ...step, match: starts[event.target.value as MatchKind] })}
          >
            {Object.entries(texts.steps.matches).map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {kind === "same" && <SameFields {...part} fields={fields} />}
      {kind === "values" && <Values {...part} fields={fields} />}
      <div className="grid gap-4 sm:grid-cols-2">
        <DurationField
          label={texts.steps.waitTimeout}
          hint={texts.steps.waitTimeoutHint}
          value={step.timeout}
          error={error("timeout")}
          onChange={(timeout) =>
            set({ ...step, timeout, on_timeout: timeout === undefined ? undefined : step.on_timeout })
          }
        />
        {isLimited && (
          <TargetSelect
            label={texts.steps.onTimeout}
            steps={steps}
            at={at}
            value={step.on_timeout}
            unset={{ words: texts.steps.onTimeoutUnset }}
            mayEnd
            endsBranch={part.endsBranch}
            error={error("on_timeout")}
            actions={actions}
            onAdd={addOn("on_timeout")}
            onChange={(on_timeout) => set({ ...step, on_timeout })}
          />
        )}
      </div>
      <OnFailure {...part} words={texts.steps.forkFailureUnset} />
    </>
  );
}

type Choices = { value: string; hint?: string }[];

/** The fields that are the same as those of the event the run began with. */
function SameFields({ step, set, error, fields }: Part & { fields: Choices }) {
  const listed = (Array.isArray(step.match) ? step.match : [step.match]).map(String);
  const put = (next: string[]) => set({ ...step, match: next.length ? next : [""] });
  return (
    <div className="flex flex-col gap-1.5">
      {listed.map((field, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the field changes while it is typed
        <div key={index} className="flex gap-1.5">
          <Combobox
            mono
            label={texts.steps.matchField}
            value={field}
            choices={fields}
            onChange={(value) => put(listed.map((old, one) => (one === index ? value : old)))}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => put(listed.filter((_, one) => one !== index))}
          />
        </div>
      ))}
      <Adder label={texts.form.addEntry} onAdd={() => put([...listed, ""])} />
      {error("match") && <FieldError>{error("match")}</FieldError>}
    </div>
  );
}

/** Fields, and what each must be. */
function Values({ step, set, error, facts, fields }: Part & { fields: Choices }) {
  const entries = Object.entries((step.match ?? {}) as JsonObject);
  const put = (next: [string, Json][]) => set({ ...step, match: Object.fromEntries(next) });
  const change = (at: number, entry: [string, Json]) => put(entries.map((old, one) => (one === at ? entry : old)));
  return (
    <div className="flex flex-col gap-1.5">
      {entries.map(([field, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the field changes while it is typed
        <div key={index} className="flex flex-wrap items-center gap-1.5">
          <div className="min-w-36 flex-1">
            <Combobox
              mono
              label={texts.steps.matchField}
              placeholder="taskId"
              value={field}
              choices={fields}
              onChange={(changed) => change(index, [changed, value])}
            />
          </div>
          <span aria-hidden className="text-xs text-faint">
            =
          </span>
          <TextInput
            aria-label={texts.steps.matchValue}
            className="min-w-36 flex-1 font-mono text-xs!"
            value={typeof value === "string" ? value : JSON.stringify(value)}
            onChange={(event) => change(index, [field, said(event.target.value)])}
          />
          <InsertData
            label={texts.form.insertInto(field)}
            facts={facts}
            iconOnly
            onPick={(path) => change(index, [field, placeholder(path)])}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => put(entries.filter((_, one) => one !== index))}
          />
        </div>
      ))}
      <Adder
        label={texts.form.addEntry}
        disabled={entries.some(([field]) => field === "")}
        onAdd={() => put([...entries, ["", ""]])}
      />
      {error("match") && <FieldError>{error("match")}</FieldError>}
    </div>
  );
}

const said = (text: string): Json => (text === "true" ? true : text === "false" ? false : numberOrText(text));

function Adder({ label, disabled, onAdd }: { label: string; disabled?: boolean; onAdd: () => void }) {
  return (
    <span>
      <Button size="sm" look="quiet" icon={<Plus size={13} />} disabled={disabled} onClick={onAdd}>
        {label}
      </Button>
    </span>
  );
}
