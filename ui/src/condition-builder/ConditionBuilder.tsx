import { useMemo } from "react";
import type { Explanation, Group, JsonObject, Operator, Problem } from "@/api/types";
import { BuilderContext } from "./context";
import type { Fact } from "./facts";
import { GroupView } from "./GroupView";
import { explained } from "./model";

type Props = {
  value: Group;
  onChange: (group: Group) => void;
  facts: Fact[];
  operators: Operator[];
  /** The dry run's explanation of this very condition, when there is one. */
  explanation?: Explanation | null;
  sample: JsonObject | null;
  problems: Problem[];
  /** The path of the condition in the document: `condition`, `steps[2].branch`. */
  at?: string;
};

/** Nested all-of and any-of groups of conditions; each shows its live value and whether it holds for the sample. */
export function ConditionBuilder({
  value,
  onChange,
  facts,
  operators,
  explanation,
  sample,
  problems,
  at = "condition",
}: Props) {
  const told = useMemo(() => explained(value, explanation), [value, explanation]);
  const context = useMemo(
    () => ({ root: value, change: onChange, facts, operators, told, sample, problems, at }),
    [value, onChange, facts, operators, told, sample, problems, at],
  );
  return (
    <BuilderContext.Provider value={context}>
      <GroupView group={value} place={[]} />
    </BuilderContext.Provider>
  );
}
