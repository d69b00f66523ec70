import type { StepDocument } from "@/api/types";
import { Field, Select } from "@/parts/Field";
import { texts } from "@/texts";

type Props = {
  label: string;
  steps: StepDocument[];
  at: number;
  value: string | null | undefined;
  onChange: (value: string | null | undefined) => void;
};

/** Where a path leads: the step below, another step, or the end. */
export function TargetSelect({ label, steps, at, value, onChange }: Props) {
  const below = steps[at + 1];
  const key = value === undefined ? "below" : value === null ? "end" : `to:${value}`;
  const read = (chosen: string) => (chosen === "below" ? undefined : chosen === "end" ? null : chosen.slice(3));
  return (
    <Field label={label}>
      {(control) => (
        <Select {...control} value={key} onChange={(event) => onChange(read(event.target.value))}>
          <option value="below">{below ? texts.steps.below(below.id) : texts.steps.belowEnd}</option>
          <option value="end">{texts.steps.end}</option>
          {steps.map(
            (step, index) =>
              index !== at && (
                <option key={step.id} value={`to:${step.id}`}>
                  {step.id}
                </option>
              ),
          )}
        </Select>
      )}
    </Field>
  );
}
