import type { Json, JsonObject, Leaf } from "@/api/types";
import { Combobox } from "@/parts/Combobox";
import { Select, TextInput } from "@/parts/Field";
import { numberOrText } from "@/schema-form/model";
import { texts } from "@/texts";
import type { Fact } from "./facts";
import { DurationValue, JsonValue, ListValue, TimesValue, WeekdaysValue } from "./values";

type Props = { leaf: Leaf; operand: string; fact?: Fact; onChange: (leaf: Leaf) => void };

/** The control for an operator's operand. */
export function ValueEditor({ leaf, operand, fact, onChange }: Props) {
  const set = (value: Json) => onChange({ ...leaf, value });
  switch (operand) {
    case "none":
      return <span aria-hidden className="max-sm:hidden" />;
    case "list":
      return <ListValue value={leaf.value} numeric={isNumeric(fact, leaf.value)} onChange={set} />;
    case "range":
      return <RangeValue value={leaf.value} fact={fact} onChange={set} />;
    case "duration":
      return <DurationValue value={leaf.value} onChange={set} />;
    case "weekdays":
      return <WeekdaysValue value={leaf.value} onChange={set} />;
    case "times":
      return <TimesValue value={leaf.value} onChange={set} />;
    case "group":
      return <MatchMode leaf={leaf} onChange={onChange} />;
    case "number":
      return (
        <ScalarValue
          value={leaf.value}
          fact={{ path: "", type: "number" }}
          onChange={set}
          label={texts.condition.value}
        />
      );
    case "date":
      return <ScalarValue value={leaf.value} fact={fact} onChange={set} label={texts.condition.date} />;
    default:
      return (
        <ScalarValue
          value={leaf.value}
          fact={fact}
          onChange={set}
          label={operand === "pattern" ? texts.condition.pattern : texts.condition.value}
        />
      );
  }
}

function isNumeric(fact: Fact | undefined, value: Json | undefined): boolean {
  if (fact?.type) return fact.type === "number" || fact.type === "integer";
  return typeof value === "number" || (Array.isArray(value) && value.some((item) => typeof item === "number"));
}

type ScalarProps = { value: Json | undefined; fact?: Fact; onChange: (value: Json) => void; label: string };

function ScalarValue({ value, fact, onChange, label }: ScalarProps) {
  if (fact?.type === "boolean") {
    return (
      <Select
        aria-label={label}
        value={String(value ?? "")}
        onChange={(event) => onChange(event.target.value === "true")}
      >
        {typeof value !== "boolean" && <option value={String(value ?? "")}>{texts.form.choose}</option>}
        <option value="true">{texts.values.yes}</option>
        <option value="false">{texts.values.no}</option>
      </Select>
    );
  }
  if (value !== null && typeof value === "object") return <JsonValue value={value} onChange={onChange} />;
  const numeric = isNumeric(fact, value);
  const shown = value === undefined || value === null ? "" : String(value);
  const read = (text: string): Json => (numeric ? numberOrText(text) : text);
  const suggestions = suggestionsOf(fact);
  if (suggestions.length > 0) {
    return (
      <Combobox
        label={label}
        value={shown}
        placeholder={label}
        choices={suggestions.map((one) => ({ value: one }))}
        onChange={(text) => onChange(read(text))}
      />
    );
  }
  return (
    <TextInput
      aria-label={label}
      inputMode={numeric ? "decimal" : undefined}
      placeholder={label}
      value={shown}
      onChange={(event) => onChange(read(event.target.value))}
    />
  );
}

function suggestionsOf(fact: Fact | undefined): string[] {
  const options = fact?.options?.map(String) ?? [];
  const example = fact?.example;
  if (options.length === 0 && typeof example === "string" && example) return [example];
  return options;
}

function RangeValue({
  value,
  fact,
  onChange,
}: {
  value: Json | undefined;
  fact?: Fact;
  onChange: (value: Json) => void;
}) {
  const pair = Array.isArray(value) ? value : ["", ""];
  const low = pair[0] ?? "";
  const high = pair[1] ?? "";
  const plain: Fact | undefined = fact && { ...fact, options: undefined, example: undefined };
  return (
    <div className="flex gap-1.5">
      <ScalarValue label={texts.condition.from} value={low} fact={plain} onChange={(next) => onChange([next, high])} />
      <ScalarValue label={texts.condition.to} value={high} fact={plain} onChange={(next) => onChange([low, next])} />
    </div>
  );
}

/** How many of a list's items must meet the conditions that stand below. */
function MatchMode({ leaf, onChange }: { leaf: Leaf; onChange: (leaf: Leaf) => void }) {
  const match = (leaf.match ?? { mode: "some" }) as JsonObject;
  const mode = String(match.mode ?? "some");
  const counted = mode === "at_least" || mode === "at_most" || mode === "exactly";
  return (
    <div className="flex gap-1.5">
      <Select
        aria-label={texts.condition.matchMode}
        value={mode}
        onChange={(event) => {
          const next = event.target.value;
          const needsCount = next === "at_least" || next === "at_most" || next === "exactly";
          onChange({ ...leaf, match: needsCount ? { mode: next, n: match.n ?? 1 } : { mode: next } });
        }}
      >
        {Object.entries(texts.condition.matchModes).map(([id, words]) => (
          <option key={id} value={id}>
            {words}
          </option>
        ))}
      </Select>
      {counted && (
        <TextInput
          aria-label={texts.condition.matchCount}
          type="number"
          min={0}
          className="max-w-16"
          value={Number(match.n ?? 1)}
          onChange={(event) =>
            onChange({ ...leaf, match: { mode, n: Math.max(0, Math.floor(Number(event.target.value) || 0)) } })
          }
        />
      )}
    </div>
  );
}
