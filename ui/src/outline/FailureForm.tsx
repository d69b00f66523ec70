import type { Json, JsonObject } from "@/api/types";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { Switch } from "@/parts/Switch";
import { texts } from "@/texts";
import { OnFailure } from "./ParallelForm";
import type { Part } from "./part";

type OnError = "stop" | "continue" | "retry";

const objectOf = (value: Json | undefined): JsonObject | null =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;

function retriesOf(value: Json | undefined): number {
  if (typeof value === "number") return value;
  const count = objectOf(value)?.count;
  return typeof count === "number" ? count : 0;
}

/** What happens when the step fails or takes too long, and whether it may happen twice. */
export function FailureForm(part: Part) {
  const { step, set, error } = part;
  const count = retriesOf(step.retries);
  const chosen: OnError = step.on_error ?? "stop";
  const isOnce = step.delivery === "at_most_once";
  const again = (changed: JsonObject) => {
    const given: JsonObject = { count, ...objectOf(step.retries), ...changed };
    for (const [name, value] of Object.entries(given)) if (value === null) delete given[name];
    const plain = Object.keys(given).length === 1 && typeof given.count === "number";
    set({ ...step, retries: plain && !objectOf(step.retries) ? given.count : given });
  };
  const seconds = (name: string, label: string, hint: string, usual: string) => (
    <Field label={label} hint={hint} error={error(`retries.${name}`)}>
      {(control) => (
        <TextInput
          {...control}
          type="number"
          min={0}
          placeholder={usual}
          value={String(objectOf(step.retries)?.[name] ?? "")}
          onChange={(event) => again({ [name]: event.target.value ? Number(event.target.value) : null })}
        />
      )}
    </Field>
  );
  return (
    <fieldset className="flex flex-col gap-4 rounded-lg border border-line bg-sunken/60 p-3.5">
      <legend className="sr-only">{texts.steps.onError}</legend>
      <div className="grid gap-3 sm:grid-cols-[2fr_1fr_1fr]">
        <Field label={texts.steps.onError} error={error("on_error")}>
          {(control) => (
            <Select
              {...control}
              value={chosen}
              onChange={(event) => {
                const on_error = event.target.value as OnError;
                const starts = on_error === "retry" && count === 0;
                const retries = starts
                  ? objectOf(step.retries)
                    ? { ...objectOf(step.retries), count: 3 }
                    : 3
                  : step.retries;
                set({ ...step, on_error, retries });
              }}
            >
              {(Object.keys(texts.steps.onErrors) as OnError[])
                .filter((one) => one !== "retry" || !isOnce || chosen === "retry")
                .map((one) => (
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
              disabled={isOnce && count === 0}
              value={count}
              onChange={(event) => again({ count: Math.max(0, Number(event.target.value) || 0) })}
            />
          )}
        </Field>
        <Field label={texts.steps.timeout} hint={texts.steps.timeoutHint} error={error("timeout_seconds")}>
          {(control) => (
            <TextInput
              {...control}
              type="number"
              min={1}
              placeholder="60"
              value={step.timeout_seconds ?? ""}
              onChange={(event) =>
                set({ ...step, timeout_seconds: event.target.value ? Number(event.target.value) : undefined })
              }
            />
          )}
        </Field>
      </div>
      {count > 0 && (
        <div className="grid gap-3 sm:grid-cols-[1fr_1fr_1fr]">
          {seconds("backoff_seconds", texts.steps.backoff, texts.steps.backoffHint, "1")}
          {seconds("backoff_max_seconds", texts.steps.backoffMax, texts.steps.backoffMaxHint, "3600")}
        </div>
      )}
      <OnFailure {...part} words={texts.steps.onFailureUnset} />
      {step.for_each === undefined && (
        <div>
          <div className="flex items-center gap-2.5 text-sm">
            <Switch
              label={texts.steps.once}
              checked={isOnce}
              onChange={(on) =>
                set(
                  on
                    ? {
                        ...step,
                        delivery: "at_most_once",
                        retries: undefined,
                        on_error: step.on_error === "retry" ? undefined : step.on_error,
                      }
                    : { ...step, delivery: undefined },
                )
              }
            />
            <span aria-hidden className="font-medium">
              {texts.steps.once}
            </span>
          </div>
          <p className="mt-1 text-xs text-faint">{texts.steps.onceHint}</p>
          {error("delivery") && <FieldError>{error("delivery")}</FieldError>}
        </div>
      )}
    </fieldset>
  );
}
