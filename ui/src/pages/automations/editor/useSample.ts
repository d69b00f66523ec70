import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { entities } from "@/api/entities";
import { eventQuery, eventsQuery } from "@/api/events";
import { allSegmentsQuery } from "@/api/segments";
import type { Entity, EntityRef, EventItem, EventType, JsonObject } from "@/api/types";
import type { Choice } from "@/parts/Combobox";
import { brief } from "@/parts/json";
import { eachOf } from "../schedule";
import type { Trigger } from "../trigger";

export type SampleChoice = { id: string; event?: EventItem };
const TYPE = "type";

/** The event the automation is tried on: the event type's sample, a past event, or either edited by hand. */
export function useSample(name: string, type: EventType | undefined, startWith?: string) {
  const [chosen, setChosen] = useState<string | null>(startWith ?? null);
  const [edited, setEdited] = useState<{ of: string; data: JsonObject } | null>(null);
  const past = useInfiniteQuery({ ...eventsQuery({ name }, 20), enabled: name !== "" });
  const asked = useQuery({ ...eventQuery(startWith ?? ""), enabled: Boolean(startWith) });
  const pastEvents = useMemo(() => {
    const listed = past.data?.pages.flatMap((page) => page.items) ?? [];
    const extra = asked.data && !listed.some((event) => event.id === asked.data.id) ? [asked.data] : [];
    return [...extra, ...listed];
  }, [past.data, asked.data]);
  const fallback = type?.sample ? TYPE : (pastEvents[0]?.id ?? TYPE);
  const known = chosen === TYPE || pastEvents.some((event) => event.id === chosen);
  const id = chosen && known ? chosen : fallback;
  const event = pastEvents.find((one) => one.id === id);
  const original: JsonObject = event?.data ?? type?.sample ?? {};
  const isEdited = edited?.of === id;
  return {
    id,
    data: isEdited ? edited.data : original,
    isEdited,
    entity: (event?.entity ?? null) as EntityRef | null,
    pastEvents,
    hasTypeSample: Boolean(type?.sample),
    choose: (next: string) => {
      setChosen(next);
      setEdited(null);
    },
    edit: (data: JsonObject) => setEdited({ of: id, data }),
    typeId: TYPE,
  };
}

export type SampleState = ReturnType<typeof useSample>;

/** The type of the entities that its runs are about, and one of them, so that its fields can be suggested. */
export function useAbout(trigger: Trigger, type: EventType | undefined) {
  const each = trigger.schedule ? eachOf(trigger.schedule) : null;
  const ofSegment = useEntityType(each?.segment ?? (typeof trigger.segment === "string" ? trigger.segment : ""));
  const about = ofSegment || each?.type || type?.entity?.type;
  return { about, example: useExample(about ?? "") };
}

/** The type of the entities of a segment; empty while that is not known. */
export function useEntityType(segment: string): string {
  const { data } = useQuery({ ...allSegmentsQuery, enabled: segment !== "" });
  return data?.find((one) => one.name === segment)?.entity_type ?? "";
}

/** The fields of the entities of a type, as far as an example of one shows them. */
export function useEntityFields(type: string): Choice[] {
  const fields = useExample(type)?.fields;
  return Object.entries(fields ?? {}).map(([value, example]) => ({ value, hint: brief(example, 24) }));
}

function useExample(name: string): Entity | undefined {
  const query = useQuery({
    queryKey: ["entities", "example", name],
    queryFn: () => entities.list(name, { limit: 1 }),
    enabled: name !== "",
    retry: false,
    staleTime: 60_000,
  });
  return query.data?.items[0];
}
