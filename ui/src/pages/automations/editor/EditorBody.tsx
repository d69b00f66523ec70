import { ArrowUp } from "lucide-react";
import { useRef } from "react";
import type { ActionItem, AutomationDocument, AutomationItem, EventType, Operator } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { StepForm } from "@/outline/StepForm";
import { Button } from "@/parts/Button";
import { useLanding } from "@/parts/useLanding";
import { texts } from "@/texts";
import { ConditionForm } from "./ConditionForm";
import { EndingForm } from "./EndingForm";
import { FlowForm } from "./FlowForm";
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
  /** Why the last test run did not start. */
  runError: Error | null;
  onSelect: (selection: Selection) => void;
  /** Select, and go on in the form. */
  onPick: (selection: Selection) => void;
  onEdit: (document: AutomationDocument, touched?: string | null) => void;
  onRun: (sample: SampleState) => void;
};

/** Outline, the form of what is selected in it, and the sample to try it on. */
export function EditorBody(given: Omit<BodyProps, "onPick">) {
  const form = useRef<HTMLDivElement>(null);
  const goToForm = useLanding<Selection>(() => {
    form.current?.querySelector<HTMLElement>("h3")?.focus({ preventScroll: true });
    form.current?.scrollIntoView({ block: "start" }); // on a phone it stands below the outline
  });
  const props: BodyProps = {
    ...given,
    onPick: (selection) => {
      given.onSelect(selection);
      goToForm(selection);
    },
  };
  return (
    <div className="grid min-h-0 flex-1 grid-cols-1 overflow-y-auto lg:grid-cols-[320px_minmax(0,1fr)] lg:overflow-hidden xl:grid-cols-[310px_minmax(0,1fr)_350px]">
      <div className="border-line bg-ground p-4 lg:overflow-y-auto lg:border-r" data-outline>
        <OutlinePane {...props} />
      </div>
      <div className="min-w-0 p-5 lg:overflow-y-auto xl:px-7">
        <div ref={form} data-form className="mx-auto max-w-[780px] scroll-mt-5">
          <Button
            size="sm"
            look="quiet"
            className="mb-2 -ml-2 lg:hidden"
            icon={<ArrowUp size={13} />}
            onClick={(event) => backToOutline(event.currentTarget)}
          >
            {texts.editor.outline}
          </Button>
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

/** From inside a form, the focus goes back to the row of the outline it belongs to; false when it was not in a form. */
export function backToOutline(from: HTMLElement): boolean {
  if (!from.closest("[data-form]")) return false;
  const row = document.querySelector<HTMLElement>('[data-outline] [aria-current="step"]');
  row?.focus();
  return row !== null;
}

/** The form of what is selected. */
export function SelectedForm(props: BodyProps) {
  const { selection, document, onEdit, checks, sample } = props;
  switch (selection.part) {
    case "trigger":
      return <TriggerForm {...props} />;
    case "condition":
      return <ConditionForm {...props} />;
    case "flow":
      return <FlowForm {...props} />;
    case "ending":
      return <EndingForm {...props} />;
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
          onAdded={(added) => {
            onEdit({ ...document, steps: added.steps });
            props.onPick({ part: "step", at: added.at });
          }}
        />
      );
  }
}
