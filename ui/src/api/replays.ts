import { queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { EntityRef, JsonObject, Page } from "./types";

export type ReplayStatus = "running" | "paused" | "completed" | "cancelled";
export type ReplayCounts = Record<
  "started" | "already" | "dropped" | "not_met" | "left_out" | "undecided" | "gone",
  number
>;
export type Replay = {
  /** Null, as the status and who made it, where it only says what it would do. */
  id: string | null;
  automation_id: string;
  version: number;
  status: ReplayStatus | null;
  reason: string | null;
  since: string;
  until: string;
  entity: EntityRef | null;
  condition: JsonObject | null;
  per_minute: number;
  limit: number | null;
  dropped: boolean;
  progress: { events: number; of: number };
  counts: ReplayCounts;
  next_at: string | null;
  created_by: string | null;
  created_at: string;
  finished_at: string | null;
};
export type Foreseen = Replay & { next: string | null };
/** Which events, and how fast. */
export type ReplayWish = {
  since: string;
  until: string;
  per_minute: number;
  limit?: number;
  dropped: boolean;
  entity?: EntityRef;
};

const path = (id: string) => `/automations/${segment(id)}`;

export const replays = {
  /** What it would start, so many events a call. Nothing happens. */
  look: (id: string, wish: ReplayWish, cursor?: string) =>
    api.post<Foreseen>(`${path(id)}/replay`, { ...wish, dry_run: true, cursor }),
  begin: (id: string, wish: ReplayWish) => api.post<Replay>(`${path(id)}/replay`, { ...wish, dry_run: false }),
  act: (id: string, replay: string, action: "pause" | "resume" | "cancel") =>
    api.post<Replay>(`${path(id)}/replays/${segment(replay)}/${action}`),
};

/** The replays of an automation, newest first; live notices renew them, a slow poll is the net under those. */
export const replaysQuery = (id: string) =>
  queryOptions({
    queryKey: ["replays", id],
    queryFn: () => api.get<Page<Replay>>(`${path(id)}/replays`, { limit: 20 }),
    refetchInterval: ({ state }) => (state.data?.items.some((one) => one.status === "running") ? 2_000 : false),
  });
