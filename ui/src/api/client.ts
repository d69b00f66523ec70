import { apiRoot } from "@/base";
import { texts } from "@/texts";
import type { Problem } from "./types";

type ProblemBody = { type?: string; title?: string; status?: number; detail?: string; errors?: Problem[] };
export type Query = Record<string, string | number | boolean | null | undefined>;

/** What the server refused, with the fields it named. `message` is a sentence fit for a person. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[],
  ) {
    super(message);
  }
}

/** What is wrong where, for the fields of a form. That somebody changed it meanwhile (412) is wrong with none of them. */
export function problemsOf(error: unknown): Problem[] {
  return error instanceof ApiProblem && error.status !== 412 ? error.problems : [];
}

export function statusOf(error: unknown): number | null {
  return error instanceof ApiProblem ? error.status : null;
}

/** What happened and what to do about it, in one or two sentences. */
export function explainError(error: unknown): string {
  if (error instanceof ApiProblem) return error.message;
  if (error instanceof Error) return error.message;
  return String(error);
}

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

async function readProblem(response: Response): Promise<ApiProblem> {
  const body: ProblemBody = await response.json().catch(() => ({}));
  const code = (body.type ?? "").split(":").pop() ?? "";
  const message = body.detail || body.title || texts.errors.status(response.status);
  return new ApiProblem(response.status, code, message, body.errors ?? []);
}

async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(`${apiRoot}${path}`, {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiProblem(0, "unreachable", texts.errors.unreachable, []);
  }
  if (!response.ok) throw await readProblem(response);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    request<T>("GET", withQuery(path, query), undefined, signal),
  post: <T>(path: string, body: unknown = {}, headers?: Record<string, string>) =>
    request<T>("POST", path, body, undefined, headers),
  put: <T>(path: string, body: unknown, headers?: Record<string, string>) =>
    request<T>("PUT", path, body, undefined, headers),
  patch: <T>(path: string, body: unknown) => request<T>("PATCH", path, body),
  delete: <T>(path: string) => request<T>("DELETE", path),
};

/** A path segment that may hold any character; slashes stay, since event type names have them. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
export function slashed(text: string): string {
  return text.split("/").map(encodeURIComponent).join("/");
}
