import { cx } from "@/parts/classes";
import { texts } from "@/texts";

export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

type Props = { id?: string; label: string; value: string[]; onChange: (days: string[]) => void };

/** Days of the week to tick, in their order. */
export function WeekdayPicker({ id, label, value, onChange }: Props) {
  return (
    <fieldset id={id} aria-label={label} className="flex flex-wrap gap-1">
      {WEEKDAYS.map((day) => {
        const chosen = value.includes(day);
        return (
          <button
            key={day}
            type="button"
            aria-pressed={chosen}
            aria-label={texts.weekdays[day]}
            onClick={() => onChange(WEEKDAYS.filter((one) => (one === day ? !chosen : value.includes(one))))}
            className={cx(
              "h-8 w-11 rounded-md border text-xs font-medium",
              chosen
                ? "border-accent bg-accent-wash text-accent-text"
                : "border-line-strong bg-surface text-soft hover:bg-hover hover:text-ink",
            )}
          >
            {texts.weekdays[day].slice(0, 3)}
          </button>
        );
      })}
    </fieldset>
  );
}
