import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import { asGroup } from "@/condition-builder/model";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";
import { Sentence } from "./Sentence";

export function ConditionForm({ document, facts, operators, checks, sample, onEdit }: BodyProps) {
  const explanation = checks.dryRun?.explanation;
  return (
    <>
      <FormHead title={texts.condition.title} lead={texts.condition.lead} />
      <ConditionBuilder
        value={asGroup(document.condition)}
        onChange={(condition) => onEdit({ ...document, condition }, "condition")}
        facts={facts}
        operators={operators}
        explanation={explanation}
        sample={document.trigger.event ? sample.data : null}
        problems={checks.problems}
      />
      {explanation && document.condition && document.condition.rules.length > 0 && (
        <div className="mt-5">
          <Sentence holds={explanation.result} text={explanation.text} />
        </div>
      )}
    </>
  );
}
