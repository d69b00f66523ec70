import type { Foreseen, ReplayCounts, ReplayWish } from "@/api/replays";
import type { EntityRef } from "@/api/types";

/** What a person typed into the form of a replay; instants as `datetime-local` writes them, in the browser's zone. */
export type Typed = {
  since: string;
  until: string;
  perMinute: string;
  limit: string;
  entity: string;
  dropped: boolean;
};

const DAY = 86_400_000;

/** A week back, a run a second. */
export function usual(now: number): Typed {
  return {
    since: localText(now - 7 * DAY),
    until: localText(now),
    perMinute: "60",
    limit: "",
    entity: "",
    dropped: false,
  };
}

/** An instant as a `datetime-local` field has it, to the minute. */
export function localText(instant: number): string {
  const local = new Date(instant - new Date(instant).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

export type BadField = "since" | "until" | "entity";

/** What is asked of the server; or the fields that do not say it. A window that ends in this minute ends now. */
export function wishOf(typed: Typed, now: number): { wish: ReplayWish; bad: null } | { wish: null; bad: BadField[] } {
  const [since, until] = [Date.parse(typed.since), Date.parse(typed.until)];
  const entity = entityOf(typed.entity);
  const bad: BadField[] = [
    ...(Number.isNaN(since) ? (["since"] as const) : []),
    ...(Number.isNaN(until) || until <= since ? (["until"] as const) : []),
    ...(entity === null ? (["entity"] as const) : []),
  ];
  if (bad.length || entity === null) return { wish: null, bad };
  const end = Math.abs(until - now) < 60_000 ? now : until;
  return {
    wish: {
      since: new Date(since).toISOString(),
      until: new Date(end).toISOString(),
      per_minute: Number(typed.perMinute),
      dropped: typed.dropped,
      ...(typed.limit ? { limit: Number(typed.limit) } : {}),
      ...(entity ? { entity } : {}),
    },
    bad: null,
  };
}

/** `patient:p-1` as a type and an id; undefined for nothing, null for what is neither. */
function entityOf(text: string): EntityRef | null | undefined {
  if (!text.trim()) return undefined;
  const [type = "", ...id] = text.trim().split(":");
  return type && id.join(":") ? { type, id: id.join(":") } : null;
}

/** Looks part by part until the end, or until it is stopped; tells what is known after each part. */
export async function foresee(
  tell: (told: Foreseen) => void,
  signal: AbortSignal,
  look: (cursor: string | undefined) => Promise<Foreseen>,
): Promise<void> {
  let cursor: string | undefined;
  while (!signal.aborted) {
    const told = await look(cursor);
    if (signal.aborted) return;
    tell(told);
    if (told.next === null) return;
    cursor = told.next;
  }
}

/** How many runs it would start, and about how many minutes that takes. */
export function outlook(counts: ReplayCounts, wish: ReplayWish): { runs: number; minutes: number } {
  const runs = Math.min(counts.started, wish.limit ?? counts.started);
  return { runs, minutes: Math.ceil(runs / Math.max(1, wish.per_minute)) };
}
