import type { ActionItem, StepDocument } from "@/api/types";
import { Field, Select } from "@/parts/Field";
import { texts } from "@/texts";
import { AddStep } from "./AddStep";
import type { StepKind } from "./model";

export type AddHere = (kind: StepKind, action?: ActionItem) => void;

type Props = {
  label: string;
  steps: StepDocument[];
  at: number;
  value: string | null | undefined;
  error?: string;
  hint?: string;
  /** What it means when nothing is said: the step below, the end, or these words. Else something must be said. */
  unset?: "below" | "end" | { words: string };
  /** The end may be said too, beside the words for nothing said. */
  mayEnd?: boolean;
  /** Of a step in a branch of a parallel step: its end is not that of the run. */
  endsBranch?: boolean;
  /** Shows no label, where the row already has one. */
  bare?: boolean;
  /** A new step for this way can be made from here. */
  actions?: ActionItem[];
  onAdd?: AddHere;
  onChange: (value: string | null | undefined) => void;
};

/** Where a path leads: the step below, another step, a new one, or the end. */
export function TargetSelect(props: Props) {
  const { label, steps, at, value, unset, onAdd, actions, error, bare } = props;
  const wordsOf = typeof unset === "object" ? unset.words : null;
  const below = steps[at + 1];
  const isEndKnown = wordsOf === null || Boolean(props.mayEnd);
  const isUnset = value === undefined || (value === null && !isEndKnown);
  const key = isUnset && unset !== "end" ? "unset" : (value ?? null) === null ? "end" : `to:${value}`;
  const known = value === null || value === undefined || steps.some((step) => step.id === value);
  const read = (chosen: string) => (chosen === "unset" ? undefined : chosen === "end" ? null : chosen.slice(3));
  const select = (control: { id?: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => (
    <Select
      {...control}
      aria-label={bare ? label : undefined}
      value={key}
      onChange={(event) => props.onChange(read(event.target.value))}
    >
      {unset === "below" && <option value="unset">{below ? texts.steps.below(below.id) : texts.steps.belowEnd}</option>}
      {wordsOf !== null && <option value="unset">{wordsOf}</option>}
      {unset === undefined && value === undefined && <option value="unset">{texts.steps.chooseStep}</option>}
      {isEndKnown && <option value="end">{props.endsBranch ? texts.steps.endBranch : texts.steps.end}</option>}
      {!known && <option value={`to:${value}`}>{value}</option>}
      {steps.map(
        (step, index) =>
          index !== at && (
            <option key={step.id} value={`to:${step.id}`}>
              {step.id}
            </option>
          ),
      )}
    </Select>
  );
  const adder = onAdd && actions && (
    <AddStep look="link" actions={actions} label={texts.steps.addNew} name={texts.steps.addFor(label)} onAdd={onAdd} />
  );
  if (bare) {
    return (
      <div className="flex min-w-0 flex-1 items-center gap-1">
        {select({ "aria-invalid": error ? true : undefined })}
        {adder}
      </div>
    );
  }
  return (
    <Field label={label} hint={props.hint} error={error} aside={adder}>
      {select}
    </Field>
  );
}
