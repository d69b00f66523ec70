import { Field, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { eachOf, withOption } from "../schedule";
import type { SchedulePart } from "./ScheduleForm";

const choices = [
  { name: "gap", label: texts.schedule.gap, words: texts.schedule.gaps },
  { name: "fold", label: texts.schedule.fold, words: texts.schedule.folds },
  { name: "catch_up", label: texts.schedule.catchUp, words: texts.schedule.catchUps },
  { name: "overlap", label: texts.schedule.overlap, words: texts.schedule.overlaps },
] as const;
const numbers = [
  { name: "catch_up_hours", label: texts.schedule.catchUpHours, hint: texts.schedule.catchUpHoursHint, max: 8760 },
  { name: "jitter_seconds", label: texts.schedule.jitter, hint: texts.schedule.jitterHint, max: 3600 },
] as const;

/** What becomes of a time that clocks skip or repeat, that was missed, or that comes while the run before goes on. */
export function ScheduleOptions({ schedule, set, error }: SchedulePart) {
  const names = [...choices, ...numbers].map(({ name }) => name);
  const isOpen = names.some((name) => schedule[name] !== undefined);
  return (
    <details open={isOpen || undefined} className="rounded-lg border border-line bg-sunken/60 p-3.5">
      <summary className="w-fit rounded text-sm font-medium text-soft hover:text-ink">{texts.schedule.more}</summary>
      <div className="mt-3 grid gap-4 sm:grid-cols-2">
        {choices
          .filter(({ name }) => name !== "overlap" || !eachOf(schedule) || schedule.overlap !== undefined)
          .map(({ name, label, words }) => (
            <Field key={name} label={label} error={error(name)}>
              {(control) => (
                <Select
                  {...control}
                  value={String(schedule[name] ?? "")}
                  onChange={(event) => set(withOption(schedule, name, event.target.value || undefined))}
                >
                  <option value="">{texts.schedule.unsaid}</option>
                  {Object.entries(words).map(([value, said]) => (
                    <option key={value} value={value}>
                      {said}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          ))}
        {numbers.map(({ name, label, hint, max }) => (
          <Field key={name} label={label} hint={hint} error={error(name)}>
            {(control) => (
              <TextInput
                {...control}
                type="number"
                min={0}
                max={max}
                value={String(schedule[name] ?? "")}
                onChange={(event) =>
                  set(withOption(schedule, name, event.target.value ? Number(event.target.value) : undefined))
                }
              />
            )}
          </Field>
        ))}
      </div>
    </details>
  );
}
