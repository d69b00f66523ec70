import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment as part } from "./client";
import type { Group, Page } from "./types";

export type Segment = {
  id: string;
  name: string;
  description: string;
  entity_type: string;
  kind: "dynamic" | "manual";
  condition: Group | null;
  words: string;
  follows_clock: boolean;
  members: number;
  status: "computing" | "ready";
  revision: number;
};
export type Member = { type: string; id: string; joined_at: string };
export type SegmentDraft = {
  name: string;
  entity_type: string;
  description: string;
  condition: Group | null;
  announce: boolean;
  /** Said once, of a new one. */
  kind?: Segment["kind"];
};

const path = (id: string) => `/segments/${part(id)}`;

export const segments = {
  create: (draft: SegmentDraft) => api.post<Segment>("/segments", draft),
  /** On the revision that was read. */
  save: (id: string, draft: SegmentDraft, revision: number) =>
    api.put<Segment>(path(id), draft, { "If-Match": `"${revision}"` }),
  delete: (id: string) => api.delete<void>(path(id)),
  add: (id: string, member: string) => api.put<void>(`${path(id)}/members/${part(member)}`, {}),
  remove: (id: string, member: string) => api.delete<void>(`${path(id)}/members/${part(member)}`),
};

export const segmentsQuery = infiniteQueryOptions({
  queryKey: ["segments", "list"],
  queryFn: ({ pageParam }) => api.get<Page<Segment>>("/segments", { limit: 100, cursor: pageParam }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** All of them, by name: a tenant has no more than a page of this size holds. */
export const allSegmentsQuery = queryOptions({
  queryKey: ["segments", "all"],
  queryFn: async () => (await api.get<Page<Segment>>("/segments", { limit: 200 })).items,
});

export const membersQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["segments", "members", id],
    queryFn: ({ pageParam }) => api.get<Page<Member>>(`${path(id)}/members`, { limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
