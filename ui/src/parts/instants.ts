import { texts } from "@/texts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `4 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(milliseconds: number): string {
  if (milliseconds < SECOND)
    return `${milliseconds < 10 ? Number(milliseconds.toFixed(1)) : Math.round(milliseconds)} ms`;
  if (milliseconds < MINUTE) return `${Number((milliseconds / SECOND).toFixed(milliseconds < 10 * SECOND ? 1 : 0))} s`;
  if (milliseconds < HOUR) return pair(milliseconds, MINUTE, "min", SECOND, "s");
  if (milliseconds < DAY) return pair(milliseconds, HOUR, "h", MINUTE, "min");
  return pair(milliseconds, DAY, "d", HOUR, "h");
}

function pair(milliseconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const whole = Math.floor(milliseconds / big);
  const rest = Math.floor((milliseconds - whole * big) / small);
  return rest ? `${whole} ${bigUnit} ${rest} ${smallUnit}` : `${whole} ${bigUnit}`;
}

/** `just now`, `12 s ago`, `3 min ago`, `in 2 h`; a date once it is more than a week away. */
export function ago(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 2 * SECOND) return texts.time.now;
  if (distance > 7 * DAY) return dateOf(at);
  const text = coarse(distance);
  return at > now ? texts.time.ahead(text) : texts.time.ago(text);
}

function coarse(distance: number): string {
  if (distance < MINUTE) return `${Math.floor(distance / SECOND)} s`;
  if (distance < HOUR) return `${Math.floor(distance / MINUTE)} min`;
  if (distance < DAY) return `${Math.floor(distance / HOUR)} h`;
  return `${Math.floor(distance / DAY)} d`;
}

function dateOf(at: number): string {
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

/** The instant in the reader's zone, to the second. */
export function exact(at: string): string {
  return new Date(at).toLocaleString(undefined, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

/** An instant on the wall of a zone: `Mon 4 Jan 2027, 09:00`. */
export function inZone(at: string, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(Date.parse(at));
}

/** A sentence of the server with its instants as a person reads them. */
export function withInstants(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (at) => exact(at));
}
