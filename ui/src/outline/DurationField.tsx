import type { Json } from "@/api/types";
import { Field, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { delayOf, noDelay, partsOf } from "./delays";

type AmountProps = {
  label: string;
  amount: string;
  unit: string;
  units?: string[];
  hint?: string;
  error?: string;
  required?: boolean;
  onChange: (amount: string, unit: string) => void;
};

/** A number and its unit; the number may be a placeholder. */
export function AmountField({ label, amount, unit, units, hint, error, required, onChange }: AmountProps) {
  const known = Object.entries(texts.steps.delayUnits).filter(([short]) => !units || units.includes(short));
  return (
    <Field label={label} hint={hint} error={error} required={required}>
      {(control) => (
        <div className="flex max-w-72 gap-2">
          <TextInput
            {...control}
            inputMode="decimal"
            className="max-w-28"
            value={amount}
            onChange={(event) => onChange(event.target.value, unit)}
          />
          <Select
            aria-label={`${label}: ${texts.condition.unit}`}
            value={unit}
            onChange={(event) => onChange(amount, event.target.value)}
          >
            {known.map(([short, words]) => (
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

type Props = {
  label: string;
  value: Json | undefined;
  hint?: string;
  error?: string;
  required?: boolean;
  onChange: (value: Json | undefined) => void;
};

/** A duration such as a time limit; an empty number is none. What is written in another way is edited as text. */
export function DurationField({ label, value, hint, error, required, onChange }: Props) {
  const parts = value === undefined || value === null ? { ...noDelay, unit: "h" } : partsOf(value);
  if (!parts || parts.anchor || parts.at || parts.within || parts.isWorking) {
    return (
      <Field label={label} hint={hint} error={error} required={required}>
        {(control) => (
          <TextInput
            {...control}
            className="max-w-72"
            value={typeof value === "string" ? value : JSON.stringify(value)}
            onChange={(event) => onChange(event.target.value || undefined)}
          />
        )}
      </Field>
    );
  }
  return (
    <AmountField
      {...{ label, hint, error, required }}
      amount={parts.amount}
      unit={parts.unit}
      onChange={(amount, unit) =>
        onChange(amount === "" && !required ? undefined : delayOf({ ...parts, amount, unit }))
      }
    />
  );
}
