import { X } from "lucide-react";
import { IconButton } from "@/parts/Button";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { AddStep } from "./AddStep";
import { DurationField } from "./DurationField";
import { withWay } from "./editing";
import type { Part } from "./part";
import { errorJustAt } from "./problems";
import { TargetSelect } from "./TargetSelect";

/** Branches that go on at once, when they join, and what follows. */
export function ParallelForm(part: Part) {
  const { step, steps, at, set, error, addOn, actions, problems, endsBranch } = part;
  const heads = Array.isArray(step.parallel) ? step.parallel : [];
  const bad = errorJustAt(problems, `steps[${at}].parallel`);
  return (
    <>
      <section aria-label={texts.steps.branches}>
        <h4 className="text-sm font-medium">{texts.steps.branches}</h4>
        <p className="mb-2 text-xs text-faint">{texts.steps.branchesLead}</p>
        {heads.length === 0 && <p className="mb-2 text-sm text-faint">{texts.steps.noBranches}</p>}
        <ol className="mb-2 flex flex-col gap-1.5">
          {heads.map((head, index) => (
            <li key={head} className="flex items-center gap-2">
              <span aria-hidden className="w-5 text-right text-xs text-faint tabular-nums">
                {index + 1}
              </span>
              <TargetSelect
                bare
                label={texts.steps.branchStart(index + 1)}
                steps={steps}
                at={at}
                value={head}
                unset={{ words: texts.steps.chooseStep }}
                error={error(`parallel[${index}]`)}
                onChange={(to) => set(withWay(step, `parallel[${index}]`, to))}
              />
              <IconButton
                danger
                label={texts.steps.removeBranch(index + 1)}
                icon={<X size={14} />}
                onClick={() => set(withWay(step, `parallel[${index}]`, null))}
              />
            </li>
          ))}
        </ol>
        {bad && <FieldError>{bad}</FieldError>}
        <div className="mt-2 max-w-60">
          <AddStep actions={actions} label={texts.steps.addBranch} onAdd={addOn(`parallel[${heads.length}]`)} />
        </div>
      </section>
      <JoinField {...part} branches={heads.length} />
      <TargetSelect
        label={texts.steps.joinNext}
        steps={steps}
        at={at}
        value={step.next}
        endsBranch={endsBranch}
        error={error("next")}
        actions={actions}
        onAdd={addOn("next")}
        onChange={(next) => set({ ...step, next })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <DurationField
          label={texts.steps.forkTimeout}
          hint={texts.steps.forkTimeoutHint}
          value={step.timeout}
          error={error("timeout")}
          onChange={(timeout) =>
            set({ ...step, timeout, on_timeout: timeout === undefined ? undefined : step.on_timeout })
          }
        />
        {step.timeout !== undefined && step.timeout !== null && (
          <TargetSelect
            label={texts.steps.onTimeout}
            steps={steps}
            at={at}
            value={step.on_timeout}
            unset={{ words: texts.steps.onTimeoutUnset }}
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

/** Where the path goes on when the step has failed for good. */
export function OnFailure({ step, steps, at, set, error, addOn, actions, words }: Part & { words: string }) {
  return (
    <TargetSelect
      label={texts.steps.onFailure}
      steps={steps}
      at={at}
      value={step.on_failure}
      unset={{ words }}
      error={error("on_failure")}
      actions={actions}
      onAdd={addOn("on_failure")}
      onChange={(on_failure) => set({ ...step, on_failure })}
    />
  );
}

function JoinField({ step, set, error, branches }: Part & { branches: number }) {
  const { join } = step;
  const kind = typeof join === "number" ? "some" : (join ?? "all");
  return (
    <div className="flex flex-wrap items-start gap-4">
      <div className="min-w-56 flex-1">
        <Field label={texts.steps.join} error={kind === "some" ? undefined : error("join")}>
          {(control) => (
            <Select
              {...control}
              value={kind}
              onChange={(event) => {
                const chosen = event.target.value as keyof typeof texts.steps.joins;
                set({ ...step, join: chosen === "some" ? Math.max(1, Math.min(2, branches)) : chosen });
              }}
            >
              {Object.entries(texts.steps.joins).map(([name, words]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {kind === "some" && (
        <Field label={texts.steps.joinCount} error={error("join")}>
          {(control) => (
            <TextInput
              {...control}
              type="number"
              min={1}
              max={branches}
              className="max-w-28"
              value={Number(join)}
              onChange={(event) => set({ ...step, join: Number(event.target.value) })}
            />
          )}
        </Field>
      )}
    </div>
  );
}
