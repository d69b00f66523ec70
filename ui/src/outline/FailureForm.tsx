import type { Json, Problem, StepDocument } from "@/api/types";
import { Field, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";

type Props = { step: StepDocument; problems: Problem[]; at: string; onChange: (step: StepDocument) => void };
type OnError = NonNullable<StepDocument["on_error"]>;

function retriesOf(value: Json | undefined): number {
  if (typeof value === "number") return value;
  const count = value !== null && typeof value === "object" && !Array.isArray(value) ? value.count : undefined;
  return typeof count === "number" ? count : 0;
}

/** What happens when the step fails or takes too long. */
export function FailureForm({ step, problems, at, onChange }: Props) {
  const error = (name: string) => problems.find((problem) => problem.path.startsWith(`${at}.${name}`))?.message;
  const count = retriesOf(step.retries);
  const withCount = (next: number): Json =>
    step.retries !== null && typeof step.retries === "object" && !Array.isArray(step.retries)
      ? { ...step.retries, count: next }
      : next;
  const chosen: OnError = step.on_error ?? "stop";
  return (
    <fieldset className="rounded-lg border border-line bg-sunken/60 p-3.5">
      <legend className="sr-only">{texts.steps.onError}</legend>
      <div className="grid gap-3 sm:grid-cols-[2fr_1fr_1fr]">
        <Field label={texts.steps.onError} error={error("on_error")}>
          {(control) => (
            <Select
              {...control}
              value={chosen}
              onChange={(event) => {
                const on_error = event.target.value as OnError;
                onChange({
                  ...step,
                  on_error,
                  retries: on_error === "retry" && count === 0 ? withCount(3) : step.retries,
                });
              }}
            >
              {(Object.keys(texts.steps.onErrors) as OnError[]).map((one) => (
                <option key={one} value={one}>
                  {texts.steps.onErrors[one]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={texts.steps.retries} hint={texts.steps.retriesHint} error={error("retries")}>
          {(control) => (
            <TextInput
              {...control}
              type="number"
              min={0}
              max={100}
              value={count}
              onChange={(event) =>
                onChange({ ...step, retries: withCount(Math.max(0, Number(event.target.value) || 0)) })
              }
            />
          )}
        </Field>
        <Field label={texts.steps.timeout} hint={texts.steps.timeoutHint} error={error("timeout")}>
          {(control) => (
            <TextInput
              {...control}
              type="number"
              min={1}
              placeholder="60"
              value={step.timeout_seconds ?? ""}
              onChange={(event) =>
                onChange({ ...step, timeout_seconds: event.target.value ? Number(event.target.value) : undefined })
              }
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
}
