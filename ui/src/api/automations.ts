import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment, withQuery } from "./client";
import type {
  AutomationDocument,
  AutomationItem,
  Backtest,
  Diff,
  DryRunStep,
  EntityRef,
  Explanation,
  Import,
  JsonObject,
  Page,
  Problem,
  PublishedItem,
  RunsInFlight,
  ScheduleItem,
  Validation,
  Version,
} from "./types";

export type SaveRequest = AutomationDocument & { status?: "active" };
/** What a document becomes of whose name there is an automation: that one's draft, or another of the name. */
export type ImportMode = "update" | "copy";
export type Sample = { event?: string; data: JsonObject; entity?: EntityRef | null };
/** What the goal or the exit says; `met_before` is the step before which the run would end. */
export type DryRunEnding = {
  ending: "goal" | "exit";
  met_before: string | null;
  explanation: Explanation;
  text: string;
};
/** An event that would cancel the run, with the values that its fields must have. */
export type DryRunCancel = { event: string; match: JsonObject; text: string; problems: Problem[] };
export type DryRun = {
  would_start: boolean;
  explanation: Explanation | null;
  endings: DryRunEnding[];
  cancel_on: DryRunCancel[];
  steps: DryRunStep[];
  problems?: Problem[];
};

const path = (id: string) => `/automations/${segment(id)}`;

export const automations = {
  list: (query: { q?: string; deleted?: boolean; limit?: number; cursor?: string } = {}) =>
    api.get<Page<AutomationItem>>("/automations", query),
  get: (id: string) => api.get<AutomationItem>(path(id)),
  create: (document: SaveRequest) => api.post<AutomationItem>("/automations", document),
  /** `madeOn` is the revision that the changes were made on. */
  save: (id: string, document: SaveRequest, madeOn: number) =>
    api.put<AutomationItem>(path(id), document, { "If-Match": `"${madeOn}"` }),
  publish: (id: string, runs: RunsInFlight["action"] = "finish", madeOn?: number) =>
    api.post<PublishedItem>(`${path(id)}/publish`, { runs }, madeOn ? { "If-Match": `"${madeOn}"` } : {}),
  activate: (id: string) => api.post<AutomationItem>(`${path(id)}/activate`),
  pause: (id: string, runs = false) => api.post<AutomationItem>(`${path(id)}/pause`, { runs }),
  archive: (id: string) => api.post<AutomationItem>(`${path(id)}/archive`),
  duplicate: (id: string) => api.post<AutomationItem>(`${path(id)}/duplicate`),
  delete: (id: string) => api.delete<void>(path(id)),
  undelete: (id: string) => api.post<AutomationItem>(`${path(id)}/undelete`),
  export: (id: string) => api.get<JsonObject>(`${path(id)}/export`),
  /** What an import of these would do. */
  check: (documents: unknown, mode: ImportMode) =>
    api.post<Import>(withQuery("/automations/import", { dry_run: true, mode }), documents),
  /** Only while what they would change is as it was at `checkedAt`. */
  import: (documents: unknown, mode: ImportMode, checkedAt: number) =>
    api.post<Import>(withQuery("/automations/import", { mode }), documents, { "If-Match": `"${checkedAt}"` }),
  validate: (document: unknown) => api.post<Validation>("/automations/validate", { document }),
  test: (document: AutomationDocument, sample: Sample, id?: string) =>
    api.post<DryRun>("/automations/test", { document, ...sample, automation: id }),
  versions: (id: string) => api.get<Page<Version>>(`${path(id)}/versions`, { limit: 100 }),
  diff: (id: string, from?: number) => api.get<Diff>(`${path(id)}/diff`, { from }),
  diffSince: (id: string, document: AutomationDocument) => api.post<Diff>(`${path(id)}/diff`, { document }),
  restore: (id: string, version: number, madeOn: number) =>
    api.post<AutomationItem>(`${path(id)}/restore`, { version }, { "If-Match": `"${madeOn}"` }),
  backtest: (id: string, asked: { since: string } | { cursor: string }) =>
    api.post<Backtest>(`${path(id)}/backtest`, asked),
  run: (id: string, sample: Sample) =>
    api.post<{ run_id: string; event_id: string }>(`${path(id)}/run`, {
      data: sample.data,
      entity: sample.entity ?? undefined,
      test: true,
    }),
};

export const automationsQuery = infiniteQueryOptions({
  queryKey: ["automations", "list"],
  queryFn: ({ pageParam }) => automations.list({ limit: 100, cursor: pageParam }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

export const deletedQuery = infiniteQueryOptions({
  queryKey: ["automations", "list", "deleted"],
  queryFn: ({ pageParam }) => automations.list({ deleted: true, limit: 50, cursor: pageParam }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

export const automationNamesQuery = queryOptions({
  queryKey: ["automations", "names"],
  queryFn: () => automations.list({ limit: 200 }),
  staleTime: 30_000,
});

export const automationQuery = (id: string) =>
  queryOptions({ queryKey: ["automations", "one", id], queryFn: () => automations.get(id) });

export const versionsQuery = (id: string) =>
  queryOptions({ queryKey: ["automations", "versions", id], queryFn: () => automations.versions(id) });

export const diffQuery = (id: string, from: number | undefined) =>
  queryOptions({ queryKey: ["automations", "diff", id, from], queryFn: () => automations.diff(id, from) });

/** What publishing would change, as the draft stands this moment. */
export const toPublishQuery = (id: string) =>
  queryOptions({
    queryKey: ["automations", "publish", id],
    queryFn: () => automations.diff(id),
    staleTime: 0,
    gcTime: 0,
  });

/** What others saved since this document was read, up to this revision. */
export const sinceQuery = (id: string, document: AutomationDocument, revision: number) =>
  queryOptions({
    queryKey: ["automations", "since", id, revision, document],
    queryFn: () => automations.diffSince(id, document),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

/** When each schedule is due next, by its automation; of the first two hundred. */
export const nextDueQuery = queryOptions({
  queryKey: ["automations", "schedules"],
  queryFn: async () => {
    const page = await api.get<Page<ScheduleItem>>("/schedules", { limit: 200 });
    return new Map(page.items.map((item) => [item.automation.id, item.next_at]));
  },
  staleTime: 30_000,
});
