import type { Json, JsonObject } from "@/api/types";
import { texts } from "@/texts";

export type DelayKind = "duration" | "until" | "time" | "date" | "hours" | "working" | "custom";

/** A delay taken apart: so long, from or up to what, at which local time, in which opening hours, in which zone. */
export type DelayParts = {
  amount: string;
  unit: string;
  /** The amount is counted while it is open, from now or from `moment` on. */
  isWorking: boolean;
  anchor: "" | "until" | "before" | "after";
  moment: string;
  at: string;
  within: JsonObject | null;
  zone: string;
};

export const noDelay: DelayParts = {
  amount: "",
  unit: "d",
  isWorking: false,
  anchor: "",
  moment: "",
  at: "",
  within: null,
  zone: "",
};

/** What working time is counted in. */
export const WORKING_UNITS = ["s", "m", "h"];

const SHORT = /^\s*([\d.]*)\s*([smhdw])\s*$/;
const byName: Record<string, string> = {
  seconds: "s",
  minutes: "m",
  hours: "h",
  days: "d",
  weeks: "w",
  months: "months",
  years: "years",
};
const byUnit = Object.fromEntries(Object.entries(byName).map(([name, unit]) => [unit, name]));

const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** A delay's parts; null when the form cannot show all of it. */
export function partsOf(delay: Json | undefined): DelayParts | null {
  if (typeof delay === "string") {
    const match = SHORT.exec(delay);
    return match ? { ...noDelay, amount: match[1] ?? "", unit: match[2] ?? "h" } : null;
  }
  if (!isObject(delay)) return null;
  const parts = { ...noDelay };
  let units = 0;
  for (const [name, value] of Object.entries(delay)) {
    const unit = byName[name];
    if (unit && (typeof value === "number" || typeof value === "string")) {
      units += 1;
      parts.amount = String(value);
      parts.unit = unit;
    } else if (name === "working") {
      const long = partsOf(value);
      if (!long || delayKind(value) !== "duration" || long.within || long.zone) return null;
      if (!WORKING_UNITS.includes(long.unit)) return null;
      Object.assign(parts, { isWorking: true, amount: long.amount, unit: long.unit });
    } else if ((name === "until" || name === "before" || name === "after") && typeof value === "string") {
      if (parts.anchor) return null;
      parts.anchor = name;
      parts.moment = value;
    } else if ((name === "at" || name === "zone") && typeof value === "string") parts[name] = value;
    else if (name === "within" && isObject(value)) parts.within = value;
    else return null;
  }
  const fits = !parts.isWorking || (units === 0 && !parts.at && ["", "after"].includes(parts.anchor));
  return units <= 1 && fits ? parts : null;
}

/** Which form shows it. */
export function delayKind(delay: Json | undefined): DelayKind {
  const parts = partsOf(delay);
  if (!parts) return "custom";
  if (parts.isWorking) return "working";
  if (parts.anchor) return parts.anchor === "until" ? "until" : "date";
  if (parts.at) return "time";
  return parts.within && !parts.amount ? "hours" : "duration";
}

/** The delay that these parts are, in its shortest writing. */
export function delayOf(parts: DelayParts): Json {
  const { amount, unit, isWorking, anchor, moment, at, within, zone } = parts;
  const number = amount.trim() !== "" && Number.isFinite(Number(amount)) ? Number(amount) : amount;
  const others: JsonObject = {};
  if (anchor) others[anchor] = moment;
  if (at) others.at = at;
  if (within) others.within = within;
  if (zone) others.zone = zone;
  if (isWorking) return { working: delayOf({ ...noDelay, amount, unit }), ...others };
  const isPlain = Object.keys(others).length === 0 && unit.length === 1 && !/\{\{/.test(amount);
  if (isPlain) return `${amount}${unit}`;
  return amount === "" && Object.keys(others).length ? others : { [byUnit[unit] ?? "days"]: number, ...others };
}

export const workingHours: JsonObject = { from: "09:00", to: "17:00" };

/** The dates on which these opening hours do not open. */
export function closedOn(within: JsonObject | null): string[] {
  return Array.isArray(within?.except) ? within.except.map(String) : [];
}

/** Something of this kind to begin with; what was said already and still fits is kept. */
export function startDelay(kind: DelayKind, before: Json | undefined): Json {
  const old = partsOf(before) ?? noDelay;
  const kept = { ...noDelay, zone: old.zone };
  switch (kind) {
    case "until":
      return delayOf({ ...kept, anchor: "until", moment: old.moment });
    case "time":
      return delayOf({ ...kept, at: old.at || "09:00" });
    case "date":
      return delayOf({ ...kept, amount: "1", unit: "d", anchor: "before", moment: old.moment });
    case "hours":
      return delayOf({ ...kept, within: old.within ?? workingHours });
    case "working": {
      const isShort = old.amount !== "" && WORKING_UNITS.includes(old.unit);
      const long = isShort ? { amount: old.amount, unit: old.unit } : { amount: "8", unit: "h" };
      return delayOf({ ...kept, ...long, isWorking: true, within: old.within ?? workingHours });
    }
    case "duration":
      return delayOf({ ...noDelay, amount: old.amount || "1", unit: old.amount ? old.unit : "h" });
    case "custom":
      return before ?? "1h";
  }
}

/** A delay in a few words: `2 days before {{ due }} at 08:00, in opening hours 09:00 to 17:00`. */
export function delayWords(delay: Json | undefined): string {
  const parts = partsOf(delay);
  const words = texts.steps.delayWords;
  if (!parts) return words.for(typeof delay === "string" ? delay : JSON.stringify(delay ?? ""));
  const { amount, isWorking, anchor, moment, at, within, zone } = parts;
  const name = texts.steps.delayUnits[parts.unit] ?? parts.unit;
  const long = amount === "" ? "" : `${amount} ${amount === "1" ? name.slice(0, -1) : name}`;
  const closed = closedOn(within).length;
  const said = [
    isWorking
      ? words.working(long, moment)
      : anchor === "until"
        ? words.until(moment)
        : anchor
          ? words.aside(long, anchor, moment)
          : long && words.for(long),
    at && (anchor ? words.at(at) : words.next(at)),
    within && words.within(String(within.from ?? ""), String(within.to ?? "")),
    closed > 0 && words.closed(closed),
    zone && `(${zone})`,
  ];
  return said.filter(Boolean).join(" ");
}
