import type { Json, Problem, StepDocument } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { InsertData } from "@/schema-form/InsertData";
import { placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import { type DelayKind, delayKind, shortDelay, untilOf } from "./delays";

type Props = {
  step: StepDocument;
  facts: Fact[];
  problems: Problem[];
  at: string;
  onChange: (step: StepDocument) => void;
};

/** How long a run sleeps: a duration, or until a moment; any other form as JSON. */
export function DelayForm({ step, facts, problems, at, onChange }: Props) {
  const kind = delayKind(step.delay);
  const set = (delay: Json) => onChange({ ...step, delay });
  const error = problems.find((problem) => problem.path.startsWith(at))?.message;
  const starts: Record<DelayKind, Json> = { duration: "1h", until: { until: "" }, custom: step.delay ?? "1h" };
  return (
    <div className="flex flex-col gap-4">
      <Field label={texts.steps.delayKind}>
        {(control) => (
          <Select {...control} value={kind} onChange={(event) => set(starts[event.target.value as DelayKind])}>
            <option value="duration">{texts.steps.delayFor}</option>
            <option value="until">{texts.steps.delayUntil}</option>
            {kind === "custom" && <option value="custom">{texts.steps.delayCustom}</option>}
          </Select>
        )}
      </Field>
      {kind === "duration" && <DurationPart value={step.delay} error={error} onChange={set} />}
      {kind === "until" && (
        <Field
          label={texts.steps.delayUntilLabel}
          hint={texts.steps.delayUntilHint}
          error={error}
          aside={
            <InsertData
              label={texts.form.insertInto(texts.steps.delayUntilLabel)}
              facts={facts}
              onPick={(path) => set({ until: placeholder(path) })}
            />
          }
        >
          {(control) => (
            <TextInput
              {...control}
              value={untilOf(step.delay)}
              placeholder="2026-12-24T09:00"
              onChange={(event) => set({ until: event.target.value })}
            />
          )}
        </Field>
      )}
      {kind === "custom" && (
        <>
          <JsonEditor label={texts.steps.delayCustom} rows={5} value={step.delay ?? null} onChange={set} />
          {error && <FieldError>{error}</FieldError>}
        </>
      )}
    </div>
  );
}

function DurationPart({
  value,
  error,
  onChange,
}: {
  value: Json | undefined;
  error?: string;
  onChange: (value: Json) => void;
}) {
  const { amount, unit } = shortDelay(value) ?? { amount: "1", unit: "h" };
  return (
    <Field label={texts.steps.delayAmount} error={error}>
      {(control) => (
        <div className="flex max-w-72 gap-2">
          <TextInput
            {...control}
            inputMode="decimal"
            className="max-w-24"
            value={amount}
            onChange={(event) => onChange(`${event.target.value}${unit}`)}
          />
          <Select
            aria-label={texts.condition.unit}
            value={unit}
            onChange={(event) => onChange(`${amount}${event.target.value}`)}
          >
            {Object.entries(texts.steps.delayUnits).map(([short, words]) => (
              <option key={short} value={short}>
                {words}
              </option>
            ))}
          </Select>
        </div>
      )}
    </Field>
  );
}
