import { useState } from "react";
import type { Group, Json, Leaf, StepDocument } from "@/api/types";
import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import { asGroup } from "@/condition-builder/model";
import { Field, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { texts } from "@/texts";
import { ActionForm } from "./ActionForm";
import { CallForm } from "./CallForm";
import { DelayForm } from "./DelayForm";
import { addOnWay } from "./editing";
import { FailureForm } from "./FailureForm";
import { ForEachForm } from "./ForEachForm";
import { isInBranch, placesOf } from "./lanes";
import { kindOf, newStep, renameStep, replaceStep } from "./model";
import { outputsBefore } from "./outputs";
import { ParallelForm } from "./ParallelForm";
import type { Part, StepFormProps } from "./part";
import { errorAt, ofProgram } from "./problems";
import { SplitForm } from "./SplitForm";
import { StepIcon } from "./StepIcon";
import { TargetSelect } from "./TargetSelect";
import { WaitForm } from "./WaitForm";

/** The form of one step, whatever its kind. */
export function StepForm(props: StepFormProps) {
  const { steps, at, actions, onChange } = props;
  const step = steps[at];
  if (!step) return null;
  const kind = kindOf(step);
  const action = actions.find((one) => one.name === step.action);
  const part: Part = {
    ...props,
    problems: [...props.problems, ...ofProgram(props.dryRun, `steps[${at}]`)],
    endsBranch: isInBranch(placesOf(steps)[at]),
    step,
    facts: [...outputsBefore(steps, at), ...props.facts],
    set: (next) => onChange(replaceStep(steps, at, next)),
    error: (field) => errorAt(props.problems, `steps[${at}].${field}`),
    addOn: (field) => (chosen, what) => props.onAdded(addOnWay(steps, at, field, newStep(steps, chosen, what))),
  };
  return (
    <div className="flex flex-col gap-5">
      <header className="flex items-center gap-3">
        <StepIcon kind={kind} action={step.action} icon={action?.icon} size={34} />
        <div className="min-w-0">
          <h3 tabIndex={-1} className="rounded text-lg font-semibold tracking-tight">
            {kind === "action" ? (action?.title ?? step.action) : texts.steps.kind[kind]}
          </h3>
          {kind === "action" && action?.description && <p className="text-sm text-soft">{action.description}</p>}
        </div>
      </header>
      <StepName {...part} />
      {kind === "action" && <ActionForm {...part} action={action} />}
      {kind === "for_each" && <ForEachForm {...part} action={action} />}
      {kind === "branch" && <BranchPart {...part} />}
      {kind === "delay" && (
        <DelayForm
          step={step}
          facts={part.facts}
          problems={props.problems}
          at={`steps[${at}].delay`}
          onChange={part.set}
        />
      )}
      {kind === "parallel" && <ParallelForm {...part} />}
      {kind === "split" && <SplitForm {...part} />}
      {kind === "wait_for_event" && <WaitForm {...part} />}
      {kind === "call" && <CallForm {...part} />}
      {kind === "other" && (
        <>
          <p className="text-sm text-soft">{texts.steps.otherLead}</p>
          <JsonEditor
            label={texts.steps.kind.other ?? ""}
            rows={10}
            value={step as Json}
            onChange={(value) => {
              if (value !== null && typeof value === "object" && !Array.isArray(value))
                part.set({ ...value, id: step.id } as StepDocument);
            }}
          />
        </>
      )}
      {kind === "stop" && <StopPart {...part} />}
      {["action", "call", "delay", "for_each", "wait_for_event"].includes(kind) && (
        <TargetSelect
          label={texts.steps.next}
          steps={steps}
          at={at}
          value={step.next}
          unset="below"
          endsBranch={part.endsBranch}
          error={part.error("next")}
          actions={actions}
          onAdd={part.addOn("next")}
          onChange={(next) => part.set({ ...step, next })}
        />
      )}
      {(kind === "action" || (kind === "for_each" && step.call === undefined)) && <FailureForm {...part} />}
    </div>
  );
}

function StepName({ steps, at, step, problems, onChange }: Part) {
  const [typed, setTyped] = useState<{ at: number; text: string } | null>(null);
  const shown = typed?.at === at ? typed.text : step.id;
  const taken = shown !== step.id && steps.some((other) => other.id === shown);
  const refused = problems.find((problem) => problem.path === `steps[${at}].id`)?.message;
  return (
    <Field label={texts.steps.id} hint={texts.steps.idHint} error={taken ? texts.steps.idTaken : refused}>
      {(control) => (
        <TextInput
          {...control}
          value={shown}
          onChange={(event) => setTyped({ at, text: event.target.value })}
          onBlur={() => {
            if (shown.trim() && !taken) onChange(renameStep(steps, at, shown.trim()));
            setTyped(null);
          }}
        />
      )}
    </Field>
  );
}

function BranchPart(part: Part) {
  const { step, set, steps, at, facts, operators, problems, dryRun, sample, error, actions, addOn, endsBranch } = part;
  return (
    <>
      <section aria-label={texts.steps.branchTitle}>
        <h4 className="text-sm font-medium">{texts.steps.branchTitle}</h4>
        <p className="mb-2 text-xs text-faint">{texts.steps.branchLead}</p>
        <ConditionBuilder
          value={asGroup(step.branch as Group | Leaf)}
          onChange={(branch) => set({ ...step, branch })}
          facts={facts}
          operators={operators}
          explanation={dryRun?.explanation}
          sample={sample}
          problems={problems}
          at={`steps[${at}].branch`}
        />
      </section>
      <TargetSelect
        label={texts.steps.ifTrue}
        steps={steps}
        at={at}
        value={step.if_true}
        unset="below"
        endsBranch={endsBranch}
        error={error("if_true")}
        actions={actions}
        onAdd={addOn("if_true")}
        onChange={(if_true) => set({ ...step, if_true })}
      />
      <TargetSelect
        label={texts.steps.ifFalse}
        steps={steps}
        at={at}
        value={step.if_false}
        unset="end"
        endsBranch={endsBranch}
        error={error("if_false")}
        actions={actions}
        onAdd={addOn("if_false")}
        onChange={(if_false) => set({ ...step, if_false })}
      />
    </>
  );
}

function StopPart({ step, set }: Part) {
  return (
    <Field label={texts.steps.stopReason} hint={texts.steps.stopReasonHint}>
      {(control) => (
        <TextInput
          {...control}
          value={typeof step.stop === "string" ? step.stop : ""}
          onChange={(event) => set({ ...step, stop: event.target.value })}
        />
      )}
    </Field>
  );
}
