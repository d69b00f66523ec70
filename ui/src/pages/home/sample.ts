import type { AutomationItem, EventType } from "@/api/types";

/** The event type to fire: one that an automation in force listens to, if it has a sample. */
export function sampleToFire(types: EventType[], automations: AutomationItem[]): EventType | undefined {
  const withSample = types.filter((type) => type.sample);
  const heard = new Set(automations.filter((item) => item.status === "active").map((item) => item.trigger.event));
  return withSample.find((type) => heard.has(type.name)) ?? withSample[0];
}
