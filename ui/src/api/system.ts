import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { ActionItem, ApiKey, AuditEntry, JsonObject, Operator, Page, Session, Stats, Tenant } from "./types";

export const system = {
  stats: () => api.get<Stats>("/stats"),
  actions: () => api.get<{ items: ActionItem[] }>("/actions"),
  operators: () => api.get<{ items: Operator[] }>("/operators"),
  session: () => api.get<Session>("/session"),
  signIn: (key: string) => api.post<Session>("/session", { key }),
  signOut: () => api.delete<void>("/session"),
  keys: () => api.get<Page<ApiKey>>("/keys"),
  createKey: (body: { name: string; role: string }) => api.post<ApiKey & { key: string }>("/keys", body),
  revokeKey: (id: string) => api.delete<void>(`/keys/${segment(id)}`),
  tenant: (id: string) => api.get<Tenant>(`/tenants/${segment(id)}`),
  patchTenant: (id: string, body: { name?: string; settings?: JsonObject }) =>
    api.patch<Tenant>(`/tenants/${segment(id)}`, body),
  audit: (query: { limit?: number; cursor?: string }) => api.get<Page<AuditEntry>>("/audit", query),
};

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: system.session,
  staleTime: 300_000,
  retry: false,
});
export const statsQuery = queryOptions({ queryKey: ["stats"], queryFn: system.stats });
export const actionsQuery = queryOptions({
  queryKey: ["actions"],
  queryFn: async () => (await system.actions()).items,
  staleTime: 300_000,
});
export const operatorsQuery = queryOptions({
  queryKey: ["operators"],
  queryFn: async () => (await system.operators()).items,
  staleTime: 300_000,
});
export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: async () => (await system.keys()).items });
export const tenantQuery = (id: string) => queryOptions({ queryKey: ["tenant", id], queryFn: () => system.tenant(id) });
export const auditQuery = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ pageParam }) => system.audit({ limit: 50, cursor: pageParam }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});
