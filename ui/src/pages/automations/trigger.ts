import type { AutomationDocument, Json, JsonObject } from "@/api/types";
import { brief } from "@/parts/json";
import { texts } from "@/texts";
import { changeEvent } from "./change";
import { daysOf, eachOf, timesOf, whenOf, withEach } from "./schedule";

export type Trigger = AutomationDocument["trigger"];
export type TriggerKind = "event" | "change" | "segment" | "schedule" | "dates" | "manual" | "other";

/** What starts it. With the types of entities that there are, a change of one is told from other events. */
export function kindOf(trigger: Trigger, types: string[] = []): TriggerKind {
  if (trigger.schedule) return eachOf(trigger.schedule)?.side ? "dates" : "schedule";
  if (trigger.manual) return "manual";
  if (typeof trigger.segment === "string") return "segment";
  if (changeEvent(trigger.event, types)) return "change";
  return trigger.event === undefined && Object.keys(trigger).length > 0 ? "other" : "event";
}

/** Whether it says what starts it. */
export function isSaid(trigger: Trigger): boolean {
  return kindOf(trigger) !== "event" || Boolean(trigger.event);
}

/** A trigger of another kind, to begin with. */
export function newTrigger(kind: TriggerKind, before: Trigger, type = ""): Trigger {
  const daily = { daily: "09:00" };
  switch (kind) {
    case "manual":
      return { manual: true };
    case "schedule":
      return { schedule: before.schedule ? withEach(before.schedule, null) : daily };
    case "dates": {
      const each = { type, segment: null, side: "before", field: "", days: 7 } as const;
      return { schedule: withEach({ ...daily, ...zoneOf(before) }, each) };
    }
    case "segment":
      return { segment: "", on: "joined" };
    case "change":
      return { event: `${type}.updated` };
    default:
      return { event: "" };
  }
}

function zoneOf(trigger: Trigger): JsonObject {
  const zone = trigger.schedule?.zone;
  return typeof zone === "string" ? { zone } : {};
}

/** What starts it in a few words: an event's name, when a schedule is due, or that it is run by hand. */
export function triggerWords(trigger: Trigger): string {
  if (trigger.manual) return texts.trigger.byHand;
  if (typeof trigger.segment === "string") {
    return texts.trigger.ofSegment(trigger.on === "left", trigger.segment || "…");
  }
  if (!trigger.schedule) return trigger.event ?? brief(trigger as Json, 60);
  const { schedule } = trigger;
  const when = whenOf(schedule);
  if (!when) return texts.trigger.kinds.schedule;
  const times = timesOf(schedule).join(", ");
  const days = daysOf(schedule).map((day) => texts.weekdays[String(day) as keyof typeof texts.weekdays] ?? String(day));
  const said = {
    daily: texts.schedule.words.daily(times),
    weekly: texts.schedule.words.weekly(days.join(", "), times),
    monthly: texts.schedule.words.monthly(days.join(", "), times),
    cron: texts.schedule.words.cron(brief(schedule.cron, 40)),
    run_at: texts.schedule.words.run_at(brief(schedule.run_at, 40).replace("T", " ")),
    rrule: texts.schedule.words.rrule(brief(schedule.rrule, 60)),
  }[when];
  const zone = typeof schedule.zone === "string" ? ` (${schedule.zone})` : "";
  const each = eachOf(schedule);
  if (!each) return `${said}${zone}`;
  const { type, segment, side, field, days: away } = each;
  const who = segment === null ? type : texts.schedule.words.ofSegment(segment || "…");
  return `${said}${zone}, ${side ? texts.schedule.words.dated(who, String(away), side, field || "…") : texts.schedule.words.each(who)}`;
}
