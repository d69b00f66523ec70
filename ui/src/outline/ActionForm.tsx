import type { ActionItem } from "@/api/types";
import { Field, Select } from "@/parts/Field";
import { SchemaForm } from "@/schema-form/SchemaForm";
import { texts } from "@/texts";
import type { Part } from "./part";

/** Which action, and its arguments by its schema. */
export function ActionForm({ step, set, actions, action, at, facts, problems, error }: Part & { action?: ActionItem }) {
  const properties = Object.keys(action?.schema?.properties ?? {}).length;
  return (
    <>
      <Field label={texts.steps.action} error={action ? error("action") : texts.steps.actionUnknown}>
        {(control) => (
          <Select {...control} value={step.action} onChange={(event) => set({ ...step, action: event.target.value })}>
            {!action && <option value={step.action}>{step.action || texts.form.choose}</option>}
            {actions
              .filter((one) => one.over !== "delay" || one.name === step.action)
              .map((one) => (
                <option key={one.name} value={one.name}>
                  {one.title}
                </option>
              ))}
          </Select>
        )}
      </Field>
      {action && properties === 0 && <p className="text-sm text-faint">{texts.steps.noArguments}</p>}
      <SchemaForm
        schema={action?.schema}
        value={step.with ?? {}}
        onChange={(given) => set({ ...step, with: given })}
        facts={facts}
        problems={problems}
        at={`steps[${at}].with`}
      />
    </>
  );
}
