import { useId } from "react";
import { cx } from "./classes";

type Option<Value extends string> = { value: Value; title: string; help?: string };
type Props<Value extends string> = {
  label: string;
  value: Value;
  choices: Option<Value>[];
  onChange: (value: Value) => void;
};

/** One of a few, each with what it means. */
export function Choice<Value extends string>({ label, value, choices, onChange }: Props<Value>) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="sr-only">{label}</legend>
      {choices.map((choice) => (
        <label
          key={choice.value}
          className={cx(
            "flex cursor-pointer items-start gap-2.5 rounded-lg border p-2.5 text-sm has-focus-visible:outline-2 has-focus-visible:outline-accent",
            value === choice.value ? "border-accent bg-accent-wash" : "border-line bg-surface hover:bg-hover",
          )}
        >
          <input
            type="radio"
            name={name}
            className="mt-0.5 accent-accent"
            checked={value === choice.value}
            aria-describedby={choice.help ? `${name}-${choice.value}` : undefined}
            aria-label={choice.title}
            onChange={() => onChange(choice.value)}
          />
          <span>
            <span className="block font-medium">{choice.title}</span>
            {choice.help && (
              <span id={`${name}-${choice.value}`} className="block text-xs text-soft">
                {choice.help}
              </span>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
