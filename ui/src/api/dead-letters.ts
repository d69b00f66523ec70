import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { Attempt, JsonObject, Page } from "./types";

export type LetterKind = "event" | "run" | "delivery";
export type LetterStatus = "open" | "retrying" | "resolved" | "discarded";
export type LetterCause = {
  kind: LetterKind;
  fingerprint: string;
  code: string;
  message: string;
  automation: { id: string; name: string } | null;
  step_id: string | null;
};
export type LetterGroup = LetterCause & {
  event_name: string | null;
  count: number;
  first_at: string;
  last_at: string;
  latest_id: string;
};
export type Letter = LetterCause & {
  id: string;
  reference: { noun: "event" | "run" | "outbox"; id: string };
  status: LetterStatus;
  version: number | null;
  event: { id: string | null; name: string } | null;
  attempts: number;
  first_at: string;
  last_at: string;
  updated_at: string;
  actor: string | null;
  reason: string | null;
  replay_id: string | null;
};
export type LetterDetail = Letter & {
  data: JsonObject | null;
  payload: string | null;
  tries: Attempt[];
  blocked: string | null;
};
export type BulkAction = "retry" | "discard";
export type BulkOrder = {
  fingerprint: string;
  action: BulkAction;
  reason?: string;
  dry_run: boolean;
  until?: string;
  after?: string;
};
export type BulkAnswer = {
  count: number;
  done: number;
  refused: number;
  left: number;
  until: string;
  next: string | null;
  wait_seconds: number;
  problems: { id: string; reason: string }[];
};
export type LetterFilter = { status?: string; kind?: string; fingerprint?: string; automation?: string };

export const letters = {
  list: (query: LetterFilter & { limit?: number; cursor?: string }) => api.get<Page<Letter>>("/dead-letters", query),
  groups: (query: LetterFilter & { limit?: number; cursor?: string }) =>
    api.get<Page<LetterGroup>>("/dead-letters/groups", query),
  get: (id: string) => api.get<LetterDetail>(`/dead-letters/${segment(id)}`),
  retry: (id: string) => api.post<LetterDetail>(`/dead-letters/${segment(id)}/retry`),
  replay: (id: string, body: { data: JsonObject; name?: string }) =>
    api.post<{ event_id: string; run_id: string | null }>(`/dead-letters/${segment(id)}/replay`, body),
  discard: (id: string, reason: string) => api.post<LetterDetail>(`/dead-letters/${segment(id)}/discard`, { reason }),
  bulk: (order: BulkOrder) => api.post<BulkAnswer>("/dead-letters/bulk", order),
};

const paged = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: Page<unknown>) => page.next ?? undefined,
};
export const groupsQuery = (filter: LetterFilter) =>
  infiniteQueryOptions({
    queryKey: ["letters", "groups", filter],
    queryFn: ({ pageParam }) => letters.groups({ ...filter, limit: 50, cursor: pageParam }),
    ...paged,
  });
export const lettersQuery = (filter: LetterFilter) =>
  infiniteQueryOptions({
    queryKey: ["letters", "list", filter],
    queryFn: ({ pageParam }) => letters.list({ ...filter, limit: 50, cursor: pageParam }),
    ...paged,
  });
export const letterQuery = (id: string) =>
  queryOptions({ queryKey: ["letters", "one", id], queryFn: () => letters.get(id) });
/** How many a bulk action would find: asked anew each time, since people decide by it, and then left as it was. */
export const bulkCountQuery = (fingerprint: string, action: BulkAction) =>
  queryOptions({
    queryKey: ["letters-count", fingerprint, action],
    queryFn: () => letters.bulk({ fingerprint, action, dry_run: true }),
    gcTime: 0,
    staleTime: 0,
  });
