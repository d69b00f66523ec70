import { queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { AutomationDocument, Version } from "./types";

export type Spread = { p50_seconds: number | null; p95_seconds: number | null };
export type Outcome = "completed" | "partial" | "failed";
export type StepInsight = Spread & {
  id: string;
  path: string;
  action: string;
  times: number;
  failed: number;
  retried: number;
};
export type ConditionInsight = {
  path: string;
  comparisons: number;
  events: number;
  mean_steps: number | null;
  max_steps: number | null;
};
export type Advice = { code: string; path: string; text: string };
export type Insights = {
  version: number | null;
  runs: number;
  runs_needed: number;
  since: string | null;
  outcomes: Record<Outcome, number>;
  durations: { whole: Spread; work: Spread; asleep: Spread };
  steps: StepInsight[];
  conditions: ConditionInsight[];
  advice: Advice[];
};

const DAY = 86_400_000;
const path = (id: string) => `/automations/${segment(id)}`;

/** How the live version did with the runs of so many days; with all that are kept if left out. Not renewed by itself: each
 * answer is computed anew. */
export const insightsQuery = (id: string, days: number | undefined) =>
  queryOptions({
    queryKey: ["insights", id, days],
    queryFn: ({ signal }) => {
      const since = days === undefined ? undefined : new Date(Date.now() - days * DAY).toISOString();
      return api.get<Insights>(`${path(id)}/insights`, { since }, signal);
    },
    staleTime: 10_000,
  });

/** A version as it was published. It never changes. */
export const versionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ["automations", "version", id, version],
    queryFn: async (): Promise<AutomationDocument> =>
      (await api.get<Version>(`${path(id)}/versions/${version}`)).document,
    staleTime: Number.POSITIVE_INFINITY,
  });
