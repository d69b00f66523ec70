import { useState } from "react";
import type { ActionItem, DryRunStep, Group, JsonObject, Leaf, Operator, Problem, StepDocument } from "@/api/types";
import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import type { Fact } from "@/condition-builder/facts";
import { asGroup } from "@/condition-builder/model";
import { Field, Select, TextInput } from "@/parts/Field";
import { SchemaForm } from "@/schema-form/SchemaForm";
import { texts } from "@/texts";
import { DelayForm } from "./DelayForm";
import { FailureForm } from "./FailureForm";
import { kindOf, outputPath, renameStep, replaceStep } from "./model";
import { StepIcon } from "./StepIcon";
import { TargetSelect } from "./TargetSelect";

type Props = {
  steps: StepDocument[];
  at: number;
  actions: ActionItem[];
  operators: Operator[];
  facts: Fact[];
  problems: Problem[];
  dryRun: DryRunStep | undefined;
  sample: JsonObject | null;
  onChange: (steps: StepDocument[]) => void;
};

/** The form of one step, whatever its kind. */
export function StepForm(props: Props) {
  const { steps, at, actions, onChange } = props;
  const step = steps[at];
  if (!step) return null;
  const kind = kindOf(step);
  const action = actions.find((one) => one.name === step.action);
  const set = (next: StepDocument) => onChange(replaceStep(steps, at, next));
  const facts = [...outputsBefore(steps, at), ...props.facts];
  const parts = { ...props, step, set, facts };
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
      <StepName {...parts} />
      {kind === "action" && <ActionPart {...parts} action={action} />}
      {kind === "branch" && <BranchPart {...parts} />}
      {kind === "delay" && (
        <DelayForm step={step} facts={facts} problems={props.problems} at={`steps[${at}].delay`} onChange={set} />
      )}
      {kind === "stop" && <StopPart {...parts} />}
      {["for_each", "parallel", "split"].includes(kind) && (
        <p className="text-sm text-soft">{texts.steps.editAsJson}</p>
      )}
      {(kind === "action" || kind === "delay") && (
        <TargetSelect
          label={texts.steps.next}
          steps={steps}
          at={at}
          value={step.next}
          onChange={(next) => set({ ...step, next })}
        />
      )}
      {kind === "action" && <FailureForm step={step} problems={props.problems} at={`steps[${at}]`} onChange={set} />}
    </div>
  );
}

type Part = Props & { step: StepDocument; set: (step: StepDocument) => void };

/** What earlier steps leave behind, for conditions and placeholders. */
function outputsBefore(steps: StepDocument[], at: number): Fact[] {
  return steps
    .slice(0, at)
    .filter((step) => kindOf(step) === "action")
    .map((step) => ({ path: outputPath(step.id), type: null, title: texts.form.fromStep(step.id) }));
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

function ActionPart({ step, set, actions, action, at, facts, problems }: Part & { action?: ActionItem }) {
  const unknown = !action
    ? texts.steps.actionUnknown
    : problems.find((problem) => problem.path === `steps[${at}].action`)?.message;
  const properties = Object.keys(action?.schema?.properties ?? {}).length;
  return (
    <>
      <Field label={texts.steps.action} error={unknown}>
        {(control) => (
          <Select {...control} value={step.action} onChange={(event) => set({ ...step, action: event.target.value })}>
            {!action && <option value={step.action}>{step.action || texts.form.choose}</option>}
            {actions
              .filter((one) => one.over !== "delay" || one.name === step.action)
              .map((one) => (
                <option key={one.name} value={one.name}>
                  {one.title}
                </option>
              ))}
          </Select>
        )}
      </Field>
      {action && properties === 0 && <p className="text-sm text-faint">{texts.steps.noArguments}</p>}
      <SchemaForm
        schema={action?.schema}
        value={step.with ?? {}}
        onChange={(given) => set({ ...step, with: given })}
        facts={facts}
        problems={problems}
        at={`steps[${at}].with`}
      />
    </>
  );
}

function BranchPart({ step, set, steps, at, facts, operators, problems, dryRun, sample }: Part) {
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
        onChange={(if_true) => set({ ...step, if_true })}
      />
      <TargetSelect
        label={texts.steps.ifFalse}
        steps={steps}
        at={at}
        value={step.if_false}
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
