import { queryOptions } from "@tanstack/react-query";
import { api, segment } from "./client";
import type { Page } from "./types";

export type Scheme = "standard" | "github" | "stripe" | "shopify" | "slack" | "hmac" | "none";
export type Signature = {
  scheme: Scheme;
  /** All but the scheme and the tolerance are for `hmac`. */
  header: string;
  encoding: "hex" | "base64";
  prefix: string;
  timestamp_header: string;
  tolerance_seconds: number;
};
export type Webhook = {
  id: string;
  name: string;
  event: string;
  name_from: string | null;
  data_from: string;
  id_from: string | null;
  signature: Signature;
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
/** What a person says of a webhook. */
export type WebhookSettings = Pick<Webhook, "name" | "event" | "name_from" | "data_from" | "id_from" | "signature">;

/** The vendors that give the secret; for the others one is made. */
export const SECRET_GIVEN: Scheme[] = ["stripe", "shopify", "slack"];

const one = (id: string) => `/webhooks/${segment(id)}`;

export const webhooks = {
  list: () => api.get<Page<Webhook>>("/webhooks", { limit: 200 }),
  create: (made: WebhookSettings & { secret?: string }) => api.post<ShownWebhook>("/webhooks", made),
  save: (hook: Webhook, settings: WebhookSettings) =>
    api.patch<Webhook>(one(hook.id), { ...settings, revision: hook.revision }),
  enable: (hook: Webhook, enabled: boolean) => api.patch<Webhook>(one(hook.id), { enabled, revision: hook.revision }),
  rotate: (id: string, what: "token" | "secret", secret?: string) =>
    api.post<ShownWebhook>(`${one(id)}/rotate`, { what, secret }),
  delete: (id: string) => api.delete<void>(one(id)),
};

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: async () => (await webhooks.list()).items,
});
