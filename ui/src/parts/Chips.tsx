import { texts } from "@/texts";
import { cx } from "./classes";

type Choice = { value: string; title: string; count?: number };
type Props = {
  label: string;
  value: string | undefined;
  choices: Choice[];
  onChange: (value: string | undefined) => void;
};

/** One choice of a few, or all of them. */
export function Chips({ label, value, choices, onChange }: Props) {
  const all: (Omit<Choice, "value"> & { value: string | undefined })[] = [
    { value: undefined, title: texts.runs.all },
    ...choices,
  ];
  return (
    <fieldset aria-label={label} className="flex flex-wrap gap-1">
      {all.map((choice) => {
        const chosen = choice.value === value;
        return (
          <button
            key={choice.title}
            type="button"
            aria-pressed={chosen}
            onClick={() => onChange(choice.value)}
            className={cx(
              "flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-xs font-medium transition-colors",
              chosen
                ? "border-transparent bg-accent-wash text-accent-text"
                : "border-line bg-surface text-soft hover:bg-hover hover:text-ink",
            )}
          >
            {choice.title}
            {choice.count !== undefined && choice.count > 0 && (
              <span className="text-faint tabular-nums">{choice.count.toLocaleString()}</span>
            )}
          </button>
        );
      })}
    </fieldset>
  );
}
