import { CaseSensitive, ChevronDown, ChevronUp, Copy, Ellipsis, FolderPlus, Trash2 } from "lucide-react";
import type { Group, Json, JsonObject, Leaf, Operator } from "@/api/types";
import { IconButton } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { FieldError, Select } from "@/parts/Field";
import { brief } from "@/parts/json";
import { Menu } from "@/parts/Menu";
import { texts } from "@/texts";
import { ConditionBuilder } from "./ConditionBuilder";
import { useBuilder, useProblemsAt } from "./context";
import { type Fact, factsOf, readPath } from "./facts";
import { asGroup, duplicateAt, moveAt, type Place, pathOf, replaceAt, valueFor, withOperator, wrapAt } from "./model";
import { ResultMark } from "./ResultMark";
import { ValueEditor } from "./ValueEditor";

export function RuleView({ leaf, place }: { leaf: Leaf; place: Place }) {
  const { root, change, facts, operators, told } = useBuilder();
  const problems = useProblemsAt(place);
  const fact = facts.find((one) => one.path === leaf.field);
  const operator = operators.find((one) => one.name === leaf.operator);
  const set = (next: Leaf) => change(replaceAt(root, place, next));
  const label = texts.condition.rule(place.map((index) => index + 1).join("."));
  return (
    <fieldset aria-label={label} className="min-w-0">
      <div className="flex items-start gap-1.5">
        <span className="pt-[7px]">
          <ResultMark result={leaf.field ? told.get(place.join("."))?.result : undefined} />
        </span>
        <div className="grid min-w-0 flex-1 grid-cols-1 gap-1.5 sm:grid-cols-[minmax(0,7fr)_minmax(0,5fr)_minmax(0,6fr)]">
          <Combobox
            label={texts.condition.field}
            placeholder={texts.condition.fieldPlaceholder}
            mono
            value={leaf.field ?? ""}
            aria-invalid={problems.some((problem) => problem.path.endsWith(".field")) || undefined}
            choices={facts.map((one) => ({ value: one.path, hint: hintOf(one) }))}
            onChange={(field) => set(withField(leaf, field, facts, operator))}
          />
          <OperatorSelect
            leaf={leaf}
            fact={fact}
            operators={operators}
            onChange={(next) => set(withOperator(leaf, next))}
          />
          <ValueEditor leaf={leaf} operand={operator?.operand ?? "value"} fact={fact} onChange={set} />
        </div>
        <RuleMenu leaf={leaf} place={place} operator={operator} />
      </div>
      {operator?.operand === "group" && <ItemConditions leaf={leaf} place={place} onChange={set} />}
      <LiveValue leaf={leaf} place={place} />
      {problems.map((problem) => (
        <FieldError key={`${problem.path}${problem.message}`}>{problem.message}</FieldError>
      ))}
    </fieldset>
  );
}

function hintOf(fact: Fact): string {
  return fact.example !== undefined ? brief(fact.example, 28) : (fact.title ?? fact.type ?? "");
}

/** A value whose type cannot be the new field's is cleared; a boolean field starts at true. */
function withField(leaf: Leaf, field: string, facts: Fact[], operator: Operator | undefined): Leaf {
  const fact = facts.find((one) => one.path === field);
  const next: Leaf = { ...leaf, field };
  if (!fact || operator?.operand === "none") return next;
  if (fact.type === "boolean" && typeof leaf.value !== "boolean" && leaf.operator === "equals")
    return { ...next, value: true };
  if (fact.type === "string" && typeof leaf.value === "boolean")
    return { ...next, value: valueFor("value", undefined) };
  return next;
}

/** Those that suit the field's type first; all of them can be chosen. */
function OperatorSelect({
  leaf,
  fact,
  operators,
  onChange,
}: {
  leaf: Leaf;
  fact?: Fact;
  operators: Operator[];
  onChange: (operator: Operator) => void;
}) {
  const suits = (operator: Operator) =>
    !fact?.type || !operator.types?.length || operator.types.some((type) => sameType(type, fact.type));
  const fitting = operators.filter(suits);
  const others = operators.filter((operator) => !suits(operator));
  const known = operators.some((operator) => operator.name === leaf.operator);
  const option = (operator: Operator) => (
    <option key={operator.name} value={operator.name}>
      {operator.title}
    </option>
  );
  return (
    <Select
      aria-label={texts.condition.operator}
      value={leaf.operator}
      onChange={(event) => {
        const next = operators.find((operator) => operator.name === event.target.value);
        if (next) onChange(next);
      }}
    >
      {!known && <option value={leaf.operator}>{leaf.operator}</option>}
      {fitting.map(option)}
      {others.length > 0 && <optgroup label="…">{others.map(option)}</optgroup>}
    </Select>
  );
}

function sameType(suited: string, type: string | null): boolean {
  switch (type) {
    case "integer":
      return suited === "number";
    case "array":
      return suited === "list";
    case "date":
    case "date-time":
      return suited === "date";
    case "string":
      // Instants often arrive as plain text, so a text field may be compared as a date.
      return suited === "text" || suited === "date";
    default:
      return suited === type;
  }
}

/** The conditions on each item of a list, in a builder of their own: paths start at the item. */
function ItemConditions({ leaf, place, onChange }: { leaf: Leaf; place: Place; onChange: (leaf: Leaf) => void }) {
  const { operators, sample, problems, at } = useBuilder();
  const list = sample && leaf.field ? readPath(sample, leaf.field.replace("[*]", "")) : undefined;
  const item = Array.isArray(list)
    ? list.find((one) => one !== null && typeof one === "object" && !Array.isArray(one))
    : undefined;
  const facts = factsOf(undefined, (item as JsonObject | undefined) ?? null).filter(
    (fact) => !/^(event|now)\./.test(fact.path),
  );
  return (
    <div className="mt-1.5 ml-6 rounded-lg border border-line bg-sunken/60 p-2.5">
      <p className="mb-1.5 text-xs text-faint">{texts.condition.items}</p>
      <ConditionBuilder
        value={asGroup(leaf.value as Group | undefined)}
        onChange={(value) => onChange({ ...leaf, value: value as unknown as Json })}
        facts={facts}
        operators={operators}
        sample={null}
        problems={problems}
        at={`${pathOf(place, at)}.value`}
      />
    </div>
  );
}

function LiveValue({ leaf, place }: { leaf: Leaf; place: Place }) {
  const { told, sample } = useBuilder();
  if (!leaf.field || !sample) return null;
  const node = told.get(place.join("."));
  const value = node && "actual" in node ? node.actual : readPath(sample, leaf.field);
  const missing = node ? node.state === "missing" : value === undefined;
  return (
    <p className="mt-0.5 truncate pl-6 text-xs text-faint">
      <code className="code">{leaf.field}</code> {missing ? texts.condition.missing : texts.condition.now}{" "}
      {!missing && <code className="code font-semibold text-soft">{brief(value ?? null, 48)}</code>}
      {node?.source && node.source !== "event" && <span> · {texts.explain.from(node.source)}</span>}
    </p>
  );
}

function RuleMenu({ leaf, place, operator }: { leaf: Leaf; place: Place; operator: Operator | undefined }) {
  const { root, change, remove } = useBuilder();
  return (
    <Menu
      label={texts.condition.menu}
      trigger={<IconButton label={texts.condition.menu} icon={<Ellipsis size={15} />} />}
      entries={[
        { label: texts.actions.moveUp, icon: <ChevronUp size={14} />, onSelect: () => change(moveAt(root, place, -1)) },
        {
          label: texts.actions.moveDown,
          icon: <ChevronDown size={14} />,
          onSelect: () => change(moveAt(root, place, 1)),
        },
        { label: texts.actions.duplicate, icon: <Copy size={14} />, onSelect: () => change(duplicateAt(root, place)) },
        ...(operator?.options?.includes("ci")
          ? [
              {
                label: texts.condition.ignoreCase,
                icon: <CaseSensitive size={14} />,
                hint: leaf.ci ? "✓" : undefined,
                onSelect: () => change(replaceAt(root, place, { ...leaf, ci: leaf.ci ? undefined : true })),
              },
            ]
          : []),
        {
          label: texts.condition.wrap,
          icon: <FolderPlus size={14} />,
          onSelect: () => change(wrapAt(root, place, "or")),
        },
        "line",
        {
          label: texts.actions.remove,
          icon: <Trash2 size={14} />,
          danger: true,
          onSelect: () => remove(place),
        },
      ]}
    />
  );
}
