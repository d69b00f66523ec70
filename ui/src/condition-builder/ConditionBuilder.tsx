import { useMemo, useRef } from "react";
import type { Explanation, Group, JsonObject, Operator, Problem } from "@/api/types";
import { useLanding } from "@/parts/useLanding";
import { texts } from "@/texts";
import { BuilderContext } from "./context";
import type { Fact } from "./facts";
import { GroupView } from "./GroupView";
import { explained, type Place, removeAt } from "./model";

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
  /** What is said where there is no condition yet. */
  empty?: string;
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
  empty = texts.condition.emptyGroup,
}: Props) {
  const told = useMemo(() => explained(value, explanation), [value, explanation]);
  const frame = useRef<HTMLDivElement>(null);
  // What is removed takes its focus with it; the button that adds the next one has it then.
  const landOnAdd = useLanding<Place>(() => {
    frame.current?.querySelector<HTMLElement>(":scope > fieldset > [data-add] button")?.focus();
  });
  const context = useMemo(() => {
    const remove = (place: Place) => {
      onChange(removeAt(value, place));
      landOnAdd(place);
    };
    return { root: value, change: onChange, remove, facts, operators, told, sample, problems, at, empty };
  }, [value, onChange, landOnAdd, facts, operators, told, sample, problems, at, empty]);
  return (
    <BuilderContext.Provider value={context}>
      <div ref={frame}>
        <GroupView group={value} place={[]} />
      </div>
    </BuilderContext.Provider>
  );
}
