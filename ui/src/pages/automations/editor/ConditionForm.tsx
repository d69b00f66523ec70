import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import { asGroup } from "@/condition-builder/model";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";

export function ConditionForm({ document, facts, operators, checks, sample, onEdit }: BodyProps) {
  return (
    <>
      <FormHead title={texts.condition.title} lead={texts.condition.lead} />
      <ConditionBuilder
        value={asGroup(document.condition)}
        onChange={(condition) => onEdit({ ...document, condition }, "condition")}
        facts={facts}
        operators={operators}
        explanation={checks.dryRun?.explanation}
        sample={document.trigger.event ? sample.data : null}
        problems={checks.problems}
        empty={texts.condition.empty}
      />
    </>
  );
}
