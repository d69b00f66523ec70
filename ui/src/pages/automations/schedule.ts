import type { Json, JsonObject } from "@/api/types";

export const WHEN = ["daily", "weekly", "monthly", "cron", "run_at", "rrule"] as const;
export type When = (typeof WHEN)[number];

const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** In which of its ways the schedule says when; none when it says it in none. */
export function whenOf(schedule: JsonObject): When | undefined {
  return WHEN.find((name) => name in schedule);
}

/** The local times of a daily, weekly or monthly schedule. */
export function timesOf(schedule: JsonObject): string[] {
  const when = whenOf(schedule);
  const given = when ? schedule[when] : undefined;
  return listed(isObject(given) ? given.at : given).map(String);
}

/** The days of a weekly or monthly schedule, as they are written. */
export function daysOf(schedule: JsonObject): Json[] {
  const when = whenOf(schedule);
  const given = when ? schedule[when] : undefined;
  return isObject(given) ? listed(given.on) : [];
}

export function listed(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

const plain = (values: Json[]): Json => (values.length === 1 ? (values[0] as Json) : values);

export function withTimes(schedule: JsonObject, times: string[]): JsonObject {
  const when = whenOf(schedule) ?? "daily";
  const given = schedule[when];
  return { ...schedule, [when]: isObject(given) ? { ...given, at: plain(times) } : plain(times) };
}

export function withDays(schedule: JsonObject, days: Json[]): JsonObject {
  const when = whenOf(schedule) ?? "weekly";
  const given = schedule[when];
  return { ...schedule, [when]: { ...(isObject(given) ? given : {}), on: days } };
}

/** The schedule with another way to say when; everything beside it stays. */
export function withWhen(schedule: JsonObject, when: When, today: string): JsonObject {
  const kept = Object.fromEntries(Object.entries(schedule).filter(([name]) => !isWhen(name) && name !== "starts"));
  const times = timesOf(schedule);
  const at = plain(times.length ? times : ["09:00"]);
  const starts: Record<When, JsonObject> = {
    daily: { daily: at },
    weekly: { weekly: { on: ["monday"], at } },
    monthly: { monthly: { on: [1], at } },
    cron: { cron: "0 9 * * MON-FRI" },
    run_at: { run_at: `${today}T09:00` },
    rrule: { rrule: "FREQ=MONTHLY;BYDAY=1MO", starts: `${today}T09:00` },
  };
  return { ...starts[when], ...kept };
}

const isWhen = (name: string) => (WHEN as readonly string[]).includes(name);

/** The schedule with one of its options, or without it. */
export function withOption(schedule: JsonObject, name: string, value: Json | undefined): JsonObject {
  const { [name]: _, ...rest } = schedule;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** For whom it is: each entity of a type, or of a segment if that is said; or those with a date so many days away. */
export type Each = { type: string; segment: string | null; side: "" | "before" | "after"; field: string; days: Json };

export function eachOf(schedule: JsonObject): Each | null {
  const { each } = schedule;
  if (each === undefined) return null;
  const said: JsonObject = isObject(each) ? each : { type: typeof each === "string" ? each : "" };
  const side = "before" in said ? "before" : "after" in said ? "after" : "";
  const dated = side ? said[side] : undefined;
  const given: JsonObject = isObject(dated) ? dated : {};
  return {
    type: String(said.type ?? ""),
    segment: "segment" in said ? String(said.segment ?? "") : null,
    side,
    field: String(given.field ?? ""),
    days: given.days ?? 0,
  };
}

export function withEach(schedule: JsonObject, each: Each | null): JsonObject {
  if (!each) return withOption(schedule, "each", undefined);
  const { type, segment, side, field, days } = each;
  const whose: JsonObject = segment === null ? { type } : { segment };
  if (side) return { ...schedule, each: { ...whose, [side]: { field, days } } };
  return { ...schedule, each: segment === null ? type : whose };
}
