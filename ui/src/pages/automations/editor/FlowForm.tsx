import { DurationField } from "@/outline/DurationField";
import { errorAt, errorJustAt } from "@/outline/problems";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { Switch } from "@/parts/Switch";
import { InsertData } from "@/schema-form/InsertData";
import { placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import {
  CONTROLS,
  type Control,
  type ControlField,
  controlNames,
  controlOf,
  withControl,
  withField,
  withSaid,
} from "../flow";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";

/** How many runs it starts, when, and from how many events: each control with a switch, and its fields when it is on. */
export function FlowForm(props: BodyProps) {
  const { document, checks, onEdit } = props;
  const { flow } = document;
  const error = errorJustAt(checks.problems, "flow");
  return (
    <>
      <FormHead title={texts.flow.title} lead={texts.flow.lead} />
      <div className="flex flex-col gap-3">
        {controlNames.map((name) => (
          <ControlCard key={name} {...props} name={name} />
        ))}
        <div className="card p-3.5">
          <Field
            label={texts.flow.reentry}
            hint={texts.flow.reentryHint}
            error={errorAt(checks.problems, "flow.reentry")}
          >
            {(control) => (
              <Select
                {...control}
                value={String(flow?.reentry ?? "allow")}
                onChange={(event) => {
                  const said = event.target.value === "allow" ? undefined : event.target.value;
                  onEdit({ ...document, flow: withSaid(flow, "reentry", said) }, "flow");
                }}
              >
                {Object.entries(texts.flow.reentries).map(([name, words]) => (
                  <option key={name} value={name}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
      </div>
      {error && <FieldError>{error}</FieldError>}
    </>
  );
}

function ControlCard(props: BodyProps & { name: Control }) {
  const { document, checks, onEdit, name } = props;
  const given = controlOf(document.flow, name);
  const { title, help } = texts.flow.controls[name];
  const error = errorJustAt(checks.problems, `flow.${name}`);
  return (
    <section aria-label={title} className="card p-3.5">
      <div className="flex items-start gap-3">
        <div className="mt-0.5">
          <Switch
            label={title}
            checked={given !== null}
            onChange={(on) => onEdit({ ...document, flow: withControl(document.flow, name, on) })}
          />
        </div>
        <div className="min-w-0">
          <h4 className="text-sm font-medium">{title}</h4>
          <p className="text-xs text-faint">{help}</p>
        </div>
      </div>
      {given && (
        <div className="mt-3.5 grid items-start gap-4 sm:grid-cols-2">
          {CONTROLS[name].map((field) => (
            <ControlPart key={field} {...props} field={field} />
          ))}
        </div>
      )}
      {error && <FieldError>{error}</FieldError>}
    </section>
  );
}

const NUMBERS = ["limit", "size"];

function ControlPart({
  document,
  checks,
  facts,
  onEdit,
  name,
  field,
}: BodyProps & { name: Control; field: ControlField }) {
  const value = controlOf(document.flow, name)?.[field];
  const put = (said: Parameters<typeof withField>[3]) =>
    onEdit({ ...document, flow: withField(document.flow, name, field, said) }, `flow-${name}-${field}`);
  const { label, hint } = texts.flow.fields[field];
  const error = errorAt(checks.problems, `flow.${name}.${field}`);
  if (field === "key") {
    return (
      <div className="sm:col-span-2">
        <Field
          label={label}
          hint={hint}
          error={error}
          aside={
            <InsertData label={texts.form.insertInto(label)} facts={facts} onPick={(path) => put(placeholder(path))} />
          }
        >
          {(control) => (
            <TextInput
              {...control}
              className="font-mono text-xs!"
              placeholder="{{ entity.id }}"
              value={String(value ?? "")}
              onChange={(event) => put(event.target.value || undefined)}
            />
          )}
        </Field>
      </div>
    );
  }
  if (NUMBERS.includes(field)) {
    return (
      <Field label={label} hint={hint} error={error} required>
        {(control) => (
          <TextInput
            {...control}
            type="number"
            min={1}
            max={1000}
            className="max-w-36"
            value={String(value ?? "")}
            onChange={(event) => put(event.target.value === "" ? null : Number(event.target.value))}
          />
        )}
      </Field>
    );
  }
  return (
    <DurationField label={label} hint={hint} error={error} required={field !== "max"} value={value} onChange={put} />
  );
}
