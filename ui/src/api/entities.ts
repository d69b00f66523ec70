import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { Entity, EntityTypeCount, Page } from "./types";

const one = (type: string, id: string) => `/entities/${segment(type)}/${segment(id)}`;

export const entities = {
  types: () => api.get<Page<EntityTypeCount>>("/entities"),
  list: (type: string, query: { q?: string; limit?: number; cursor?: string }) =>
    api.get<Page<Entity>>(`/entities/${segment(type)}`, query),
  get: (type: string, id: string) => api.get<Entity>(one(type, id)),
};

export const entityTypesQuery = queryOptions({
  queryKey: ["entities", "types"],
  queryFn: async () => (await entities.types()).items,
});
export const entitiesQuery = (type: string) =>
  infiniteQueryOptions({
    queryKey: ["entities", "list", type],
    queryFn: ({ pageParam }) => entities.list(type, { limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const entityQuery = (type: string, id: string) =>
  queryOptions({ queryKey: ["entities", "one", type, id], queryFn: () => entities.get(type, id) });
