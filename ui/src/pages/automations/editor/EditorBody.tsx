import type { ActionItem, AutomationDocument, AutomationItem, EventType, Operator } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { StepForm } from "@/outline/StepForm";
import { ConditionForm } from "./ConditionForm";
import { Inspector } from "./Inspector";
import { OutlinePane } from "./OutlinePane";
import { SettingsForm } from "./SettingsForm";
import type { Selection } from "./selection";
import { TriggerForm } from "./TriggerForm";
import type { Checks } from "./useChecks";
import type { SampleState } from "./useSample";

export type BodyProps = {
  item: AutomationItem | null;
  dirty: boolean;
  document: AutomationDocument;
  selection: Selection;
  actions: ActionItem[];
  operators: Operator[];
  eventTypes: EventType[];
  facts: Fact[];
  sample: SampleState;
  checks: Checks;
  running: boolean;
  onSelect: (selection: Selection) => void;
  onEdit: (document: AutomationDocument, touched?: string | null) => void;
  onRun: (sample: SampleState) => void;
};

/** Outline, the form of what is selected in it, and the sample to try it on. */
export function EditorBody(props: BodyProps) {
  return (
    <div className="grid min-h-0 flex-1 grid-cols-1 overflow-y-auto lg:grid-cols-[320px_minmax(0,1fr)] lg:overflow-hidden xl:grid-cols-[310px_minmax(0,1fr)_350px]">
      <div className="border-line bg-ground p-4 lg:overflow-y-auto lg:border-r">
        <OutlinePane {...props} />
      </div>
      <div className="min-w-0 p-5 lg:overflow-y-auto xl:px-7">
        <div className="mx-auto max-w-[780px]">
          <SelectedForm {...props} />
        </div>
        <div className="mx-auto mt-6 max-w-[780px] border-t border-line pt-5 xl:hidden">
          <Inspector {...props} />
        </div>
      </div>
      <div className="border-l border-line bg-ground p-4 max-xl:hidden xl:overflow-y-auto">
        <Inspector {...props} />
      </div>
    </div>
  );
}

function SelectedForm(props: BodyProps) {
  const { selection, document, onEdit, checks, sample } = props;
  switch (selection.part) {
    case "trigger":
      return <TriggerForm {...props} />;
    case "condition":
      return <ConditionForm {...props} />;
    case "settings":
      return <SettingsForm {...props} />;
    case "step":
      return (
        <StepForm
          key={selection.at}
          steps={document.steps}
          at={selection.at}
          actions={props.actions}
          operators={props.operators}
          facts={props.facts}
          problems={checks.problems}
          dryRun={checks.dryRun?.steps.find((one) => one.id === document.steps[selection.at]?.id)}
          sample={sample.data}
          onChange={(steps) => onEdit({ ...document, steps }, `step-${selection.at}`)}
        />
      );
  }
}
