import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { Json, Page, RunDetail, RunStatus, RunSummary } from "./types";

export type RunFilter = { status?: string; automation?: string; event?: string; entity?: string; replay?: string };

export type RerunRequest = { from_step?: string; version: "same" | "current"; dry_run: boolean };
export type Rerun = { run_id: string | null; version: number; kept: string[]; repeats: string[] };
export type RunAction = "cancel" | "pause" | "resume" | "retry";
export type BulkAction = RunAction | "skip" | "rerun";
/** `step` and `output` go with a skip, `from_step` and `version` with a rerun. */
export type BulkOptions = { step?: string; output?: Json; from_step?: string; version?: "same" | "current" };
export type BulkRunsOrder = BulkOptions & {
  action: BulkAction;
  filter: RunFilter;
  dry_run: boolean;
  until?: string;
  after?: string;
};
export type CalledItem = { id: string; item: number | null; called_run: { id: string; status: RunStatus } | null };
export type Repeat = { automation: string; step: string; runs: number };
export type BulkRuns = {
  /** How many it can be done to. */
  count: number;
  done: number;
  refused: number;
  left: number;
  until: string;
  next: string | null;
  problems: { id: string; reason: string }[];
  /** Of a rerun: the effects that happen again, or would. */
  repeats: Repeat[];
};

export const runs = {
  list: (query: RunFilter & { limit?: number; cursor?: string }) => api.get<Page<RunSummary>>("/runs", query),
  get: (id: string) => api.get<RunDetail>(`/runs/${segment(id)}`),
  skip: (id: string, step: string, output: Json) => api.post<RunDetail>(`/runs/${segment(id)}/skip`, { step, output }),
  rerun: (id: string, asked: RerunRequest) => api.post<Rerun>(`/runs/${segment(id)}/rerun`, asked),
  bulk: ({ filter, ...order }: BulkRunsOrder) => {
    const [type = "", ...id] = (filter.entity ?? "").split(":");
    const entity = filter.entity ? { type, id: id.join(":") } : undefined;
    return api.post<BulkRuns>("/runs/bulk", { ...order, filter: { ...filter, entity } });
  },
  act: (id: string, action: RunAction) => api.post<RunDetail>(`/runs/${segment(id)}/${action}`),
};

export const runsQuery = (filter: RunFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", filter, limit],
    queryFn: ({ pageParam }) => runs.list({ ...filter, limit, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const runQuery = (id: string) => queryOptions({ queryKey: ["runs", "one", id], queryFn: () => runs.get(id) });
/**
 * What it would do, batch by batch: a rerun is looked at run by run. What was looked at stays as it was seen: runs that
 * change meanwhile do not begin it anew.
 */
export const bulkRunsQuery = (action: BulkAction, filter: RunFilter, options: BulkOptions) =>
  infiniteQueryOptions({
    queryKey: ["bulk-runs", action, filter, options],
    queryFn: ({ pageParam }) => runs.bulk({ action, filter, ...options, ...pageParam, dry_run: true }),
    initialPageParam: {} as { until?: string; after?: string },
    getNextPageParam: (last) => (last.next === null ? undefined : { until: last.until, after: last.next }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
/** What a step called, in the order of its items. */
export const calledQuery = (id: string, step: string) =>
  infiniteQueryOptions({
    queryKey: ["runs", "one", id, "called", step],
    queryFn: ({ pageParam }) =>
      api.get<Page<CalledItem>>(`/runs/${segment(id)}/called`, { step, limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const rerunQuery = (id: string, asked: RerunRequest) =>
  queryOptions({ queryKey: ["runs", "rerun", id, asked], queryFn: () => runs.rerun(id, asked) });
