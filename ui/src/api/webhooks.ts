import { queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { Page } from "./types";

export type Scheme = "standard" | "github" | "stripe" | "shopify" | "slack" | "hmac" | "none";
export type Webhook = {
  id: string;
  name: string;
  event: string;
  name_from: string | null;
  signature: { scheme: Scheme };
  enabled: boolean;
  revision: number;
  token_hint: string;
  has_secret: boolean;
  last_received_at: string | null;
  last_refused_at: string | null;
  last_refused_why: string | null;
};
/** A webhook with what was made anew and is shown this once. */
export type ShownWebhook = Webhook & { url: string | null; secret: string | null };
export type NewWebhook = {
  name: string;
  event: string;
  name_from?: string;
  signature: { scheme: Scheme; header?: string };
  secret?: string;
};

const one = (id: string) => `/webhooks/${segment(id)}`;

export const webhooks = {
  list: () => api.get<Page<Webhook>>("/webhooks", { limit: 200 }),
  create: (made: NewWebhook) => api.post<ShownWebhook>("/webhooks", made),
  enable: (hook: Webhook, enabled: boolean) => api.patch<Webhook>(one(hook.id), { enabled, revision: hook.revision }),
  rotate: (id: string, what: "token" | "secret") => api.post<ShownWebhook>(`${one(id)}/rotate`, { what }),
  delete: (id: string) => api.delete<void>(one(id)),
};

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: async () => (await webhooks.list()).items,
});
