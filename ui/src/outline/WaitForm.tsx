import { useQuery } from "@tanstack/react-query";
import { eventTypesQuery } from "@/api/events";
import { Combobox } from "@/parts/Combobox";
import { Field } from "@/parts/Field";
import { texts } from "@/texts";
import { DurationField } from "./DurationField";
import { MatchForm } from "./MatchForm";
import { OnFailure } from "./ParallelForm";
import type { Part } from "./part";
import { TargetSelect } from "./TargetSelect";

/** The event a run waits for: its name, which of them it is, and what happens when it does not come. */
export function WaitForm(part: Part) {
  const { step, steps, at, set, error, addOn, actions, problems } = part;
  const types = useQuery(eventTypesQuery).data ?? [];
  const name = String(step.wait_for_event ?? "");
  const type = types.find((one) => one.name === name);
  const isLimited = step.timeout !== undefined && step.timeout !== null;
  return (
    <>
      <Field label={texts.trigger.event} error={error("wait_for_event")} required>
        {(control) => (
          <Combobox
            {...control}
            mono
            placeholder="task/completed"
            value={name}
            choices={types.map((one) => ({ value: one.name, hint: one.title ?? undefined }))}
            onChange={(event) => set({ ...step, wait_for_event: event })}
          />
        )}
      </Field>
      <MatchForm
        match={step.match}
        onChange={(match) => set({ ...step, match })}
        type={type}
        facts={part.facts}
        problems={problems}
        at={`steps[${at}].match`}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <DurationField
          label={texts.steps.waitTimeout}
          hint={texts.steps.waitTimeoutHint}
          value={step.timeout}
          error={error("timeout")}
          onChange={(timeout) =>
            set({ ...step, timeout, on_timeout: timeout === undefined ? undefined : step.on_timeout })
          }
        />
        {isLimited && (
          <TargetSelect
            label={texts.steps.onTimeout}
            steps={steps}
            at={at}
            value={step.on_timeout}
            unset={{ words: texts.steps.onTimeoutUnset }}
            mayEnd
            endsBranch={part.endsBranch}
            error={error("on_timeout")}
            actions={actions}
            onAdd={addOn("on_timeout")}
            onChange={(on_timeout) => set({ ...step, on_timeout })}
          />
        )}
      </div>
      <OnFailure {...part} words={texts.steps.forkFailureUnset} />
    </>
  );
}
