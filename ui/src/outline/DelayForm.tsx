import { useState } from "react";
import type { Json, JsonObject, Problem, StepDocument } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { Switch } from "@/parts/Switch";
import { ZoneField } from "@/parts/ZoneField";
import { InsertData } from "@/schema-form/InsertData";
import { placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import { AmountField } from "./DurationField";
import {
  closedOn,
  type DelayKind,
  type DelayParts,
  delayKind,
  delayOf,
  noDelay,
  partsOf,
  startDelay,
  WORKING_UNITS,
  workingHours,
} from "./delays";
import { errorAt, errorJustAt } from "./problems";
import { WeekdayPicker } from "./WeekdayPicker";

type Props = {
  step: StepDocument;
  facts: Fact[];
  problems: Problem[];
  at: string;
  onChange: (step: StepDocument) => void;
};

/** How long a run sleeps, in each of the forms a delay has; what none of them shows is edited as JSON. */
export function DelayForm({ step, facts, problems, at, onChange }: Props) {
  const kind = delayKind(step.delay);
  const set = (delay: Json) => onChange({ ...step, delay });
  const parts = partsOf(step.delay) ?? noDelay;
  const put = (changed: Partial<DelayParts>) => set(delayOf({ ...parts, ...changed }));
  const kinds = Object.keys(texts.steps.delayKinds).filter((one) => one !== "custom" || kind === "custom");
  const given = { parts, put, problems, at, facts };
  return (
    <div className="flex flex-col gap-4">
      <Field label={texts.steps.delayKind} error={kind === "custom" ? undefined : errorJustAt(problems, at)}>
        {(control) => (
          <Select
            {...control}
            value={kind}
            onChange={(event) => set(startDelay(event.target.value as DelayKind, step.delay))}
          >
            {kinds.map((one) => (
              <option key={one} value={one}>
                {texts.steps.delayKinds[one]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {kind === "duration" && <Amount {...given} label={texts.steps.delayAmount} />}
      {kind === "until" && <Moment {...given} label={texts.steps.delayUntilLabel} hint={texts.steps.delayUntilHint} />}
      {kind === "date" && <DatePart {...given} />}
      {kind === "working" && <WorkingPart {...given} />}
      {kind === "time" && <TimePart {...given} />}
      {(kind === "until" || kind === "date") && <AtTime {...given} />}
      {kind !== "custom" && <HoursPart {...given} always={kind === "hours" || kind === "working"} />}
      {kind !== "custom" && (parts.at || parts.within || parts.zone) && (
        <ZoneField
          value={parts.zone}
          error={errorAt(problems, `${at}.zone`)}
          onChange={(zone) => put({ zone: zone ?? "" })}
        />
      )}
      {kind === "custom" && (
        <>
          <JsonEditor label={texts.steps.delayCustom} rows={5} value={step.delay ?? null} onChange={set} />
          {errorAt(problems, at) && <FieldError>{errorAt(problems, at)}</FieldError>}
        </>
      )}
    </div>
  );
}

type Part = {
  parts: DelayParts;
  put: (changed: Partial<DelayParts>) => void;
  problems: Problem[];
  at: string;
  facts: Fact[];
};

function Amount({ parts, put, label }: Part & { label: string }) {
  return (
    <AmountField
      label={label}
      amount={parts.amount}
      unit={parts.unit}
      onChange={(amount, unit) => put({ amount, unit })}
    />
  );
}

type MomentProps = Part & { label: string; hint: string /** Left out when it is empty. */; optional?: "after" };

function Moment({ parts, put, problems, at, facts, label, hint, optional }: MomentProps) {
  const anchor = parts.anchor || optional || "until";
  return (
    <Field
      label={label}
      hint={hint}
      error={errorAt(problems, `${at}.${anchor}`)}
      aside={
        <InsertData
          label={texts.form.insertInto(label)}
          facts={facts}
          onPick={(path) => put({ anchor, moment: placeholder(path) })}
        />
      }
    >
      {(control) => (
        <TextInput
          {...control}
          value={parts.moment}
          placeholder={anchor === "until" ? "2026-12-24T09:00" : "{{ invoice.due_on }}"}
          onChange={(event) =>
            put({ anchor: optional && !event.target.value ? "" : anchor, moment: event.target.value })
          }
        />
      )}
    </Field>
  );
}

function DatePart(given: Part) {
  const { parts, put } = given;
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Amount {...given} label={texts.steps.delayAmount} />
        <Field label={texts.steps.delaySide}>
          {(control) => (
            <Select
              {...control}
              value={parts.anchor}
              onChange={(event) => put({ anchor: event.target.value as "before" | "after" })}
            >
              <option value="before">{texts.steps.delayBefore}</option>
              <option value="after">{texts.steps.delayAfter}</option>
            </Select>
          )}
        </Field>
      </div>
      <Moment {...given} label={texts.steps.delayDate} hint={texts.steps.delayDateHint} />
    </>
  );
}

function WorkingPart(given: Part) {
  const { parts, put, problems, at } = given;
  return (
    <>
      <AmountField
        label={texts.steps.workingAmount}
        hint={texts.steps.workingAmountHint}
        error={errorAt(problems, `${at}.working`)}
        amount={parts.amount}
        unit={parts.unit}
        units={WORKING_UNITS}
        required
        onChange={(amount, unit) => put({ amount, unit })}
      />
      <Moment {...given} label={texts.steps.workingFrom} hint={texts.steps.workingFromHint} optional="after" />
    </>
  );
}

function TimePart(given: Part) {
  const { parts, put, problems, at } = given;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label={texts.steps.delayTime} error={errorAt(problems, `${at}.at`)} required>
        {(control) => (
          <TextInput
            {...control}
            type="time"
            className="max-w-36"
            value={parts.at}
            onChange={(event) => event.target.value && put({ at: event.target.value })}
          />
        )}
      </Field>
      <AmountField
        label={texts.steps.delayEarliest}
        hint={texts.steps.delayEarliestHint}
        amount={parts.amount}
        unit={parts.unit}
        onChange={(amount, unit) => put({ amount, unit })}
      />
    </div>
  );
}

function AtTime({ parts, put, problems, at }: Part) {
  return (
    <Field label={texts.steps.delayAt} hint={texts.steps.delayAtHint} error={errorAt(problems, `${at}.at`)}>
      {(control) => (
        <TextInput
          {...control}
          type="time"
          className="max-w-36"
          value={parts.at}
          onChange={(event) => put({ at: event.target.value })}
        />
      )}
    </Field>
  );
}

function HoursPart({ parts, put, problems, at, always }: Part & { always: boolean }) {
  const { within } = parts;
  const set = (changed: JsonObject) => put({ within: { ...(within ?? workingHours), ...changed } });
  const days = Array.isArray(within?.days) ? (within.days as string[]) : texts.steps.workdays;
  const error = (name: string) => errorAt(problems, `${at}.within.${name}`);
  const time = (name: "from" | "to", label: string) => (
    <Field label={label} error={error(name)}>
      {(control) => (
        <TextInput
          {...control}
          type="time"
          className="max-w-36"
          value={String(within?.[name] ?? "")}
          onChange={(event) => event.target.value && set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="flex flex-col gap-3">
      {!always && (
        <div className="flex items-center gap-2.5 text-sm">
          <Switch
            label={texts.steps.delayWithin}
            checked={within !== null}
            onChange={(on) => put({ within: on ? workingHours : null })}
          />
          <span aria-hidden>{texts.steps.delayWithin}</span>
        </div>
      )}
      {within && (
        <div className="flex flex-col gap-3 rounded-lg border border-line bg-sunken/60 p-3.5">
          <div className="flex flex-wrap gap-4">
            {time("from", texts.steps.opensAt)}
            {time("to", texts.steps.closesAt)}
          </div>
          <Field label={texts.steps.openDays} error={error("days") ?? errorJustAt(problems, `${at}.within`)}>
            {(control) => (
              <WeekdayPicker
                id={control.id}
                label={texts.steps.openDays}
                value={days}
                onChange={(chosen) => set({ days: chosen })}
              />
            )}
          </Field>
          <ClosedOn
            dates={closedOn(within)}
            error={error("except")}
            onChange={(dates) => {
              const { except: _, ...rest } = within;
              put({ within: dates.length ? { ...rest, except: dates } : rest });
            }}
          />
        </div>
      )}
    </div>
  );
}

type ClosedProps = { dates: string[]; error?: string; onChange: (dates: string[]) => void };

/** Dates as they are typed; what stands between them is put right when the field is left. */
function ClosedOn({ dates, error, onChange }: ClosedProps) {
  const [typed, type] = useState<string | null>(null);
  return (
    <Field label={texts.steps.closedOn} hint={texts.steps.closedOnHint} error={error}>
      {(control) => (
        <TextInput
          {...control}
          value={typed ?? dates.join(", ")}
          onChange={(event) => {
            type(event.target.value);
            onChange(event.target.value.split(/[\s,]+/).filter(Boolean));
          }}
          onBlur={() => type(null)}
        />
      )}
    </Field>
  );
}
