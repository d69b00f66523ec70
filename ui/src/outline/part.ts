import type { ActionItem, DryRunStep, JsonObject, Operator, Problem, StepDocument } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import type { Added } from "./editing";
import type { StepKind } from "./model";

export type StepFormProps = {
  steps: StepDocument[];
  at: number;
  actions: ActionItem[];
  operators: Operator[];
  facts: Fact[];
  problems: Problem[];
  dryRun: DryRunStep | undefined;
  sample: JsonObject | null;
  onChange: (steps: StepDocument[]) => void;
  /** A step was added elsewhere: go on in its form. */
  onAdded: (added: Added) => void;
};

/** What the form of one kind of step gets: the step, and how to change it. */
export type Part = StepFormProps & {
  step: StepDocument;
  set: (step: StepDocument) => void;
  /** It stands in a branch of a parallel step, whose end is not that of the run. */
  endsBranch: boolean;
  /** What is wrong with this field of the step. */
  error: (field: string) => string | undefined;
  /** Makes a step that this way leads to. */
  addOn: (field: string) => (kind: StepKind, action?: ActionItem) => void;
};
