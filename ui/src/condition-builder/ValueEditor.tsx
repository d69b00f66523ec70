import { useState } from "react";
import type { Json, Leaf } from "@/api/types";
import { Combobox } from "@/parts/Combobox";
import { Select, TextInput } from "@/parts/Field";
import { readJson } from "@/parts/json";
import { numberOrText } from "@/schema-form/model";
import { texts } from "@/texts";
import type { Fact } from "./facts";

type Props = { leaf: Leaf; operand: string; fact?: Fact; onChange: (leaf: Leaf) => void };

/** The control for an operator's operand. */
export function ValueEditor({ leaf, operand, fact, onChange }: Props) {
  const set = (value: Json) => onChange({ ...leaf, value });
  switch (operand) {
    case "none":
      return <span aria-hidden className="max-sm:hidden" />;
    case "list":
      return <ListValue value={leaf.value} fact={fact} onChange={set} />;
    case "range":
      return <RangeValue value={leaf.value} fact={fact} onChange={set} />;
    case "duration":
      return <DurationValue value={leaf.value} onChange={set} />;
    case "group":
    case "object":
      return <JsonValue value={leaf.value ?? null} onChange={set} />;
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

type ScalarProps = { value: Json | undefined; fact?: Fact; onChange: (value: Json) => void; label: string };

function ScalarValue({ value, fact, onChange, label }: ScalarProps) {
  if (fact?.type === "boolean") {
    return (
      <Select
        aria-label={label}
        value={String(value ?? "")}
        onChange={(event) => onChange(event.target.value === "true")}
      >
        <option value="true">{texts.values.yes}</option>
        <option value="false">{texts.values.no}</option>
      </Select>
    );
  }
  if (value !== null && typeof value === "object") return <JsonValue value={value} onChange={onChange} />;
  const numeric = fact?.type === "number" || fact?.type === "integer" || typeof value === "number";
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

/** Text that reads back as it was typed, while each change yields the values in it. */
function ListValue({
  value,
  fact,
  onChange,
}: {
  value: Json | undefined;
  fact?: Fact;
  onChange: (value: Json) => void;
}) {
  const given = Array.isArray(value) ? value : [];
  const [text, setText] = useState(() => given.map(String).join(", "));
  const numeric = fact?.type === "number" || fact?.type === "integer" || given.some((item) => typeof item === "number");
  const read = (typed: string): Json[] =>
    typed
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean)
      .map((part) => (numeric ? numberOrText(part) : part));
  return (
    <TextInput
      aria-label={texts.condition.value}
      placeholder={texts.condition.list}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(read(event.target.value));
      }}
    />
  );
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

function DurationValue({ value, onChange }: { value: Json | undefined; onChange: (value: Json) => void }) {
  const given = value !== null && typeof value === "object" && !Array.isArray(value) ? value : { n: 1, unit: "day" };
  const unit = String(given?.unit ?? "day");
  const n = given?.n ?? 1;
  return (
    <div className="flex gap-1.5">
      <TextInput
        aria-label={texts.condition.amount}
        inputMode="numeric"
        className="max-w-20"
        value={String(n)}
        onChange={(event) => onChange({ ...given, n: numberOrText(event.target.value), unit })}
      />
      <Select
        aria-label={texts.condition.unit}
        value={unit}
        onChange={(event) => onChange({ ...given, n, unit: event.target.value })}
      >
        {texts.condition.units.map((one) => (
          <option key={one} value={one}>
            {texts.condition.duration("2", one).slice(2)}
          </option>
        ))}
      </Select>
    </div>
  );
}

function JsonValue({ value, onChange }: { value: Json; onChange: (value: Json) => void }) {
  const [text, setText] = useState(() => JSON.stringify(value));
  return (
    <TextInput
      aria-label={texts.condition.value}
      className="font-mono text-xs!"
      value={text}
      aria-invalid={readJson(text).error !== null}
      onChange={(event) => {
        setText(event.target.value);
        const read = readJson(event.target.value);
        if (read.error === null) onChange(read.value);
      }}
    />
  );
}
