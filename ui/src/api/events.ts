import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment, slashed } from "./client";
import type {
  EmitAnswer,
  EntityRef,
  EventDetail,
  EventExplanation,
  EventItem,
  EventType,
  JsonObject,
  Page,
} from "./types";

export type EventFilter = { name?: string; entity?: string; q?: string; since?: string; until?: string };
export type NewEvent = { name: string; data: JsonObject; id?: string; entity?: EntityRef | null; test?: boolean };

export const events = {
  list: (query: EventFilter & { limit?: number; cursor?: string }) => api.get<Page<EventItem>>("/events", query),
  get: (id: string) => api.get<EventDetail>(`/events/${segment(id)}`),
  explain: (id: string) => api.get<EventExplanation>(`/events/${segment(id)}/explain`),
  emit: (event: NewEvent) => api.post<EmitAnswer>("/events", event),
};

export const eventTypes = {
  list: () => api.get<Page<EventType>>("/event-types", { limit: 200 }),
  put: (name: string, body: Omit<EventType, "name">) => api.put<EventType>(`/event-types/${slashed(name)}`, body),
  delete: (name: string) => api.delete<void>(`/event-types/${slashed(name)}`),
};

export const eventsQuery = (filter: EventFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["events", "list", filter, limit],
    queryFn: ({ pageParam }) => events.list({ ...filter, limit, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const eventQuery = (id: string) =>
  queryOptions({ queryKey: ["events", "one", id], queryFn: () => events.get(id) });
export const explainQuery = (id: string) =>
  queryOptions({ queryKey: ["events", "explain", id], queryFn: () => events.explain(id) });
export const eventTypesQuery = queryOptions({
  queryKey: ["event-types"],
  queryFn: async () => (await eventTypes.list()).items,
  staleTime: 60_000,
});
