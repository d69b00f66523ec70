import { Plus, X } from "lucide-react";
import type { Json, JsonObject } from "@/api/types";
import { errorAt, errorJustAt } from "@/outline/problems";
import { WeekdayPicker } from "@/outline/WeekdayPicker";
import { Button, IconButton } from "@/parts/Button";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { inZone } from "@/parts/instants";
import { ZoneField } from "@/parts/ZoneField";
import { texts } from "@/texts";
import {
  daysOf,
  eachOf,
  listed,
  timesOf,
  WHEN,
  type When,
  whenOf,
  withDays,
  withOption,
  withTimes,
  withWhen,
} from "../schedule";
import { EachForm } from "./EachForm";
import type { BodyProps } from "./EditorBody";
import { ScheduleOptions } from "./ScheduleOptions";

/** What each part of the form gets. */
export type SchedulePart = {
  schedule: JsonObject;
  set: (schedule: JsonObject) => void;
  /** What is wrong at this field of the schedule, or inside it. */
  error: (field: string) => string | undefined;
};

/** When it is due, for whom, and what happens when the clocks or the engine skip a time. */
export function ScheduleForm({ document, checks, onEdit }: BodyProps) {
  const schedule = document.trigger.schedule ?? {};
  const at = "trigger.schedule";
  const part: SchedulePart = {
    schedule,
    set: (changed) => onEdit({ ...document, trigger: { ...document.trigger, schedule: changed } }, "trigger"),
    error: (field) => errorAt(checks.problems, `${at}.${field}`),
  };
  const when = whenOf(schedule);
  const isDated = Boolean(eachOf(schedule)?.side);
  const bad = errorJustAt(checks.problems, at);
  const today = new Date().toISOString().slice(0, 10);
  return (
    <div className="flex flex-col gap-5">
      {isDated ? (
        <EachForm {...part} />
      ) : (
        <Field label={texts.schedule.when} error={bad}>
          {(control) => (
            <Select
              {...control}
              value={when ?? ""}
              onChange={(event) => part.set(withWhen(schedule, event.target.value as When, today))}
            >
              {!when && <option value="">{texts.form.choose}</option>}
              {WHEN.map((name) => (
                <option key={name} value={name}>
                  {texts.schedule.kinds[name]}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      {isDated && bad && <FieldError>{bad}</FieldError>}
      {when === "weekly" && <Weekdays {...part} />}
      {when === "monthly" && <Monthdays {...part} />}
      {(when === "daily" || when === "weekly" || when === "monthly") && <Times {...part} when={when} one={isDated} />}
      {when === "cron" && <Said {...part} name="cron" label={texts.schedule.cron} hint={texts.schedule.cronHint} />}
      {when === "run_at" && (
        <Said {...part} name="run_at" label={texts.schedule.runAt} hint={texts.schedule.runAtHint} />
      )}
      {when === "rrule" && (
        <>
          <Said {...part} name="rrule" label={texts.schedule.rrule} hint={texts.schedule.rruleHint} />
          <Said {...part} name="starts" label={texts.schedule.starts} hint={texts.schedule.startsHint} />
        </>
      )}
      <ZoneField
        value={String(schedule.zone ?? "")}
        error={part.error("zone")}
        onChange={(zone) => part.set(withOption(schedule, "zone", zone))}
      />
      <NextTimes told={checks.schedule} />
      {!isDated && <EachForm {...part} />}
      <ScheduleOptions {...part} />
    </div>
  );
}

/** One text, as it is written. */
function Said({
  schedule,
  set,
  error,
  name,
  label,
  hint,
}: SchedulePart & { name: string; label: string; hint: string }) {
  return (
    <Field label={label} hint={hint} error={error(name)} required>
      {(control) => (
        <TextInput
          {...control}
          className="font-mono text-xs!"
          value={String(schedule[name] ?? "")}
          onChange={(event) => set({ ...schedule, [name]: event.target.value })}
        />
      )}
    </Field>
  );
}

function Weekdays({ schedule, set, error }: SchedulePart) {
  const days = daysOf(schedule).map(String);
  return (
    <Field label={texts.schedule.weekdays} error={error("weekly.on")}>
      {(control) => (
        <WeekdayPicker
          id={control.id}
          label={texts.schedule.weekdays}
          value={days}
          onChange={(chosen) => set(withDays(schedule, chosen))}
        />
      )}
    </Field>
  );
}

function Monthdays({ schedule, set, error }: SchedulePart) {
  const read = (text: string): Json[] =>
    text
      .split(",")
      .map((day) => day.trim())
      .filter(Boolean)
      .map((day) => (/^\d+$/.test(day) ? Number(day) : day));
  return (
    <Field label={texts.schedule.monthdays} hint={texts.schedule.monthdaysHint} error={error("monthly.on")} required>
      {(control) => (
        <TextInput
          {...control}
          className="max-w-72"
          key={String(whenOf(schedule))}
          defaultValue={daysOf(schedule).join(", ")}
          onChange={(event) => set(withDays(schedule, read(event.target.value)))}
        />
      )}
    </Field>
  );
}

function Times({ schedule, set, error, when, one }: SchedulePart & { when: When; one: boolean }) {
  const times = timesOf(schedule);
  const put = (at: number, time: string) =>
    set(
      withTimes(
        schedule,
        times.map((old, index) => (index === at ? time : old)),
      ),
    );
  return (
    <Field label={texts.schedule.times} error={error(when === "daily" ? "daily" : `${when}.at`)}>
      {(control) => (
        <div className="flex flex-wrap items-center gap-2">
          {times.map((time, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the time changes while it is typed
            <span key={index} className="flex items-center">
              <TextInput
                {...(index === 0 ? control : {})}
                aria-label={index === 0 ? undefined : texts.schedule.time(index + 1)}
                type="time"
                className="w-32!"
                value={time}
                onChange={(event) => event.target.value && put(index, event.target.value)}
              />
              {times.length > 1 && (
                <IconButton
                  label={texts.schedule.removeTime(time)}
                  icon={<X size={14} />}
                  onClick={() =>
                    set(
                      withTimes(
                        schedule,
                        times.filter((_, other) => other !== index),
                      ),
                    )
                  }
                />
              )}
            </span>
          ))}
          {(!one || times.length === 0) && (
            <Button
              size="sm"
              look="quiet"
              icon={<Plus size={13} />}
              onClick={() => set(withTimes(schedule, [...times, times.length ? "17:00" : "09:00"]))}
            >
              {texts.schedule.addTime}
            </Button>
          )}
        </div>
      )}
    </Field>
  );
}

/** When it would be due next, as the server reckons it. */
function NextTimes({ told }: { told: BodyProps["checks"]["schedule"] }) {
  return (
    <section aria-label={texts.schedule.next} className="card p-3">
      <h4 className="eyebrow mb-1.5">
        {texts.schedule.next}{" "}
        {told && <span className="font-normal normal-case">{texts.schedule.nextIn(told.zone)}</span>}
      </h4>
      {told && told.next.length > 0 ? (
        <ol className="flex flex-col gap-0.5 text-sm tabular-nums">
          {listed(told.next).map((at) => (
            <li key={String(at)}>
              <time dateTime={String(at)}>{inZone(String(at), told.zone)}</time>
            </li>
          ))}
        </ol>
      ) : (
        <p className="text-sm text-faint">{texts.schedule.noNext}</p>
      )}
    </section>
  );
}
