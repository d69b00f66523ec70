import type { ActionItem } from "@/api/types";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { InsertData } from "@/schema-form/InsertData";
import { placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import { ActionForm } from "./ActionForm";
import { CallForm } from "./CallForm";
import type { Part } from "./part";

/** A list, and the action that is performed, or the automation that is called, for each of its items. */
export function ForEachForm(part: Part & { action?: ActionItem }) {
  const { step, set, error, facts } = part;
  const calls = step.call !== undefined;
  const ofItem = [
    { path: "item", type: null, title: texts.steps.item },
    { path: "index", type: "integer", title: texts.steps.index },
  ];
  const number = (name: "concurrency" | "limit", label: string, hint: string, usual: string) => (
    <Field label={label} hint={hint} error={error(name)}>
      {(control) => (
        <TextInput
          {...control}
          type="number"
          min={1}
          placeholder={usual}
          className="max-w-36"
          value={step[name] ?? ""}
          onChange={(event) => set({ ...step, [name]: event.target.value ? Number(event.target.value) : undefined })}
        />
      )}
    </Field>
  );
  return (
    <>
      {typeof step.for_each === "string" ? (
        <Field
          label={texts.steps.items}
          hint={texts.steps.itemsHint}
          error={error("for_each")}
          required
          aside={
            <InsertData
              label={texts.form.insertInto(texts.steps.items)}
              facts={facts}
              onPick={(path) => set({ ...step, for_each: placeholder(path) })}
            />
          }
        >
          {(control) => (
            <TextInput
              {...control}
              placeholder="{{ order.items }}"
              className="font-mono text-xs!"
              value={String(step.for_each)}
              onChange={(event) => set({ ...step, for_each: event.target.value })}
            />
          )}
        </Field>
      ) : (
        <div>
          <h4 className="mb-1.5 text-sm font-medium">{texts.steps.items}</h4>
          <JsonEditor
            label={texts.steps.items}
            rows={5}
            value={step.for_each ?? []}
            onChange={(for_each) => set({ ...step, for_each })}
          />
          {error("for_each") && <FieldError>{error("for_each")}</FieldError>}
        </div>
      )}
      <Field label={texts.steps.eachDoes}>
        {(control) => (
          <Select
            {...control}
            value={calls ? "call" : "action"}
            onChange={(event) => {
              const { action: _, call: __, await: ___, timeout: ____, retries, timeout_seconds, ...rest } = step;
              set(
                event.target.value === "call"
                  ? { ...rest, on_error: rest.on_error === "retry" ? undefined : rest.on_error, call: "", with: {} }
                  : { ...rest, retries, timeout_seconds, action: "", with: {} },
              );
            }}
          >
            <option value="action">{texts.steps.eachKinds.action}</option>
            <option value="call">{texts.steps.eachKinds.call}</option>
          </Select>
        )}
      </Field>
      {calls ? (
        <CallForm {...part} facts={[...ofItem, ...facts]} />
      ) : (
        <ActionForm {...part} facts={[...ofItem, ...facts]} />
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        {number("concurrency", texts.steps.concurrency, texts.steps.concurrencyHint, "1")}
        {number("limit", texts.steps.limit, texts.steps.limitHint, "10000")}
      </div>
    </>
  );
}
