import type { AutomationDocument, JsonObject } from "@/api/types";
import { brief } from "@/parts/json";
import { texts } from "@/texts";

export type Trigger = AutomationDocument["trigger"];
export type TriggerKind = "event" | "schedule" | "manual";

const WHEN = ["cron", "daily", "weekly", "monthly", "run_at", "rrule"] as const;

export function kindOf(trigger: Trigger): TriggerKind {
  if (trigger.schedule) return "schedule";
  return trigger.manual ? "manual" : "event";
}

/** Whether it says what starts it. */
export function isSaid(trigger: Trigger): boolean {
  return kindOf(trigger) !== "event" || Boolean(trigger.event);
}

/** A trigger of another kind, to begin with. */
export function newTrigger(kind: TriggerKind): Trigger {
  if (kind === "manual") return { manual: true };
  return kind === "schedule" ? { schedule: { daily: "09:00" } } : { event: "" };
}

/** What starts it in a few words: an event's name, when a schedule is due, or that it is run by hand. */
export function triggerWords(trigger: Trigger): string {
  if (trigger.manual) return texts.trigger.byHand;
  return trigger.schedule ? scheduleWords(trigger.schedule) : (trigger.event ?? "");
}

function scheduleWords(schedule: JsonObject): string {
  const kind = WHEN.find((name) => name in schedule);
  if (!kind) return texts.trigger.kinds.schedule;
  const zone = typeof schedule.zone === "string" ? ` (${schedule.zone})` : "";
  return `${texts.trigger.when[kind]} ${brief(schedule[kind], 40)}${zone}`;
}
