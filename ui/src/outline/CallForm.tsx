import { useQuery } from "@tanstack/react-query";
import { automationNamesQuery } from "@/api/automations";
import { eventTypesQuery } from "@/api/events";
import { Field, FieldError, Select } from "@/parts/Field";
import { Switch } from "@/parts/Switch";
import { mapField } from "@/schema-form/model";
import { OneField, SchemaForm } from "@/schema-form/SchemaForm";
import { texts } from "@/texts";
import { DurationField } from "./DurationField";
import { OnFailure } from "./ParallelForm";
import type { Part } from "./part";
import { errorJustAt } from "./problems";
import { TargetSelect } from "./TargetSelect";

/** Which automation is called, with what data, and whether and how long the run waits for it. */
export function CallForm(part: Part) {
  const { step, set, error } = part;
  const known = useQuery(automationNamesQuery).data?.items ?? [];
  const called = String(step.call ?? "");
  const isAwaited = step.await !== false;
  return (
    <>
      <Field label={texts.steps.callWhich} error={error("call")} required>
        {(control) => (
          <Select {...control} value={called} onChange={(event) => set({ ...step, call: event.target.value })}>
            <option value="">{texts.form.choose}</option>
            {called && !known.some((one) => one.id === called) && <option value={called}>{called}</option>}
            {known.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <CalledData {...part} event={known.find((one) => one.id === called)?.trigger.event} />
      <div>
        <div className="flex items-center gap-2.5 text-sm">
          <Switch
            label={texts.steps.callAwait}
            checked={isAwaited}
            onChange={(on) => {
              const { await: _, ...rest } = step;
              set(on ? rest : { ...rest, await: false, timeout: undefined, on_timeout: undefined });
            }}
          />
          <span aria-hidden className="font-medium">
            {texts.steps.callAwait}
          </span>
        </div>
        <p className="mt-1 text-xs text-faint">{texts.steps.callAwaitHint}</p>
        {error("await") && <FieldError>{error("await")}</FieldError>}
      </div>
      {isAwaited && <HowLong {...part} />}
      <IfItFails {...part} />
    </>
  );
}

/** The data it starts with: by the schema of its event, where that is declared. */
function CalledData({ step, set, facts, problems, at, event }: Part & { event: string | undefined }) {
  const schema = useQuery(eventTypesQuery).data?.find((type) => type.name === event)?.schema;
  const given = step.with ?? {};
  const hasFields = Object.keys(schema?.properties ?? {}).length > 0;
  const beyond = Object.keys(given).some((name) => !(name in (schema?.properties ?? {})));
  const path = `steps[${at}].with`;
  return (
    <section aria-label={texts.steps.callData}>
      {hasFields && !beyond ? (
        <>
          <h4 className="text-sm font-medium">{texts.steps.callData}</h4>
          <p className="mb-2 text-xs text-faint">{texts.steps.callDataLead}</p>
          <SchemaForm
            schema={schema}
            value={given}
            onChange={(data) => set({ ...step, with: data })}
            facts={facts}
            problems={problems}
            at={path}
          />
        </>
      ) : (
        <OneField
          field={mapField("with", texts.steps.callData, texts.steps.callDataLead)}
          value={given}
          facts={facts}
          error={errorJustAt(problems, path) ?? null}
          onChange={(data) =>
            set({ ...step, with: data !== null && typeof data === "object" && !Array.isArray(data) ? data : {} })
          }
        />
      )}
    </section>
  );
}

function HowLong({ step, steps, at, set, error, addOn, actions, endsBranch }: Part) {
  const isLimited = step.timeout !== undefined && step.timeout !== null;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <DurationField
        label={texts.steps.callTimeout}
        hint={texts.steps.callTimeoutHint}
        value={step.timeout}
        error={error("timeout")}
        onChange={(timeout) =>
          set({ ...step, timeout, on_timeout: timeout === undefined ? undefined : step.on_timeout })
        }
      />
      {isLimited && step.for_each === undefined && (
        <TargetSelect
          label={texts.steps.onTimeout}
          steps={steps}
          at={at}
          value={step.on_timeout}
          unset={{ words: texts.steps.onTimeoutUnset }}
          mayEnd
          endsBranch={endsBranch}
          error={error("on_timeout")}
          actions={actions}
          onAdd={addOn("on_timeout")}
          onChange={(on_timeout) => set({ ...step, on_timeout })}
        />
      )}
    </div>
  );
}

function IfItFails(part: Part) {
  const { step, set, error } = part;
  const ofItem = step.for_each !== undefined;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label={texts.steps.callOnError} error={error("on_error")}>
        {(control) => (
          <Select
            {...control}
            value={step.on_error ?? "stop"}
            onChange={(event) =>
              set(
                event.target.value === "continue"
                  ? { ...step, on_error: "continue", on_failure: ofItem ? step.on_failure : undefined }
                  : { ...step, on_error: undefined },
              )
            }
          >
            <option value="stop">{texts.steps.callOnErrors.stop}</option>
            <option value="continue">{texts.steps.callOnErrors.continue}</option>
          </Select>
        )}
      </Field>
      {(ofItem || step.on_error !== "continue") && <OnFailure {...part} words={texts.steps.callFailureUnset} />}
    </div>
  );
}
