import { useState } from "react";
import type { Json } from "@/api/types";
import { cx } from "@/parts/classes";
import { Select, TextInput } from "@/parts/Field";
import { readJson } from "@/parts/json";
import { numberOrText } from "@/schema-form/model";
import { texts } from "@/texts";

type Props = { value: Json | undefined; onChange: (value: Json) => void };

/** Text that reads back as it was typed, while each change yields the values in it. */
export function ListValue({ value, numeric, onChange }: Props & { numeric: boolean }) {
  const [text, setText] = useState(() => (Array.isArray(value) ? value : []).map(String).join(", "));
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

export function DurationValue({ value, onChange }: Props) {
  const given = value !== null && typeof value === "object" && !Array.isArray(value) ? value : { n: 1, unit: "day" };
  const unit = String(given.unit ?? "day");
  const n = given.n ?? 1;
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
            {texts.condition.duration("", one).trim()}
          </option>
        ))}
      </Select>
    </div>
  );
}

/** Days as numbers, 0 is Sunday. */
export function WeekdaysValue({ value, onChange }: Props) {
  const chosen = Array.isArray(value) ? value.map(Number) : [];
  const toggle = (day: number) =>
    onChange(chosen.includes(day) ? chosen.filter((one) => one !== day) : [...chosen, day].sort((a, b) => a - b));
  return (
    <fieldset aria-label={texts.condition.daysLabel} className="flex flex-wrap gap-0.5">
      {texts.condition.days.map((name, day) => (
        <button
          key={name}
          type="button"
          aria-pressed={chosen.includes(day)}
          onClick={() => toggle(day)}
          className={cx(
            "h-8 min-w-8 flex-1 rounded-md border px-1 text-2xs font-medium",
            chosen.includes(day)
              ? "border-transparent bg-accent-wash text-accent-text"
              : "border-line text-soft hover:bg-hover",
          )}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

export function TimesValue({ value, onChange }: Props) {
  const pair = Array.isArray(value) ? value.map(String) : ["", ""];
  const [from = "", to = ""] = pair;
  return (
    <div className="flex gap-1.5">
      <TextInput
        aria-label={texts.condition.from}
        type="time"
        value={from}
        onChange={(event) => onChange([event.target.value, to])}
      />
      <TextInput
        aria-label={texts.condition.to}
        type="time"
        value={to}
        onChange={(event) => onChange([from, event.target.value])}
      />
    </div>
  );
}

export function JsonValue({ value, onChange }: { value: Json; onChange: (value: Json) => void }) {
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
