import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { apiRoot } from "@/base";

export type LiveState = "connecting" | "live" | "offline";

/** Which lists and pages a notice makes stale. */
export const staleBy: Record<string, (notice: Record<string, string>) => readonly (readonly string[])[]> = {
  run: (notice) => [
    ["runs", "list"],
    ["runs", "one", notice.id ?? ""],
    ["stats"],
    ...(notice.status === "failed" ? [["letters"]] : []),
    ["automations", "list"],
    ["events", "one", notice.event_id ?? ""],
    ["events", "explain", notice.event_id ?? ""],
  ],
  step: (notice) => [["runs", "one", notice.run_id ?? ""]],
  dead_letter: () => [["letters"], ["stats"]],
  event: () => [["events", "list"], ["stats"]],
  replay: (notice) => [["replays", notice.automation_id ?? ""]],
  automation: (notice) => [["automations", "list"], ["automations", "one", notice.id ?? ""], ["stats"]],
};

/** Gathers what became stale and refetches it at most a few times a second, however busy the server is. */
class Gatherer {
  private readonly pending = new Map<string, readonly string[]>();
  private timer: number | null = null;
  constructor(
    private readonly client: QueryClient,
    private readonly everyMilliseconds: number,
  ) {}

  add(key: readonly string[]) {
    this.pending.set(key.join("\n"), key);
    if (this.timer === null) {
      this.timer = window.setTimeout(() => this.flush(), this.everyMilliseconds);
    }
  }

  flush() {
    this.timer = null;
    const keys = [...this.pending.values()];
    this.pending.clear();
    for (const queryKey of keys) this.client.invalidateQueries({ queryKey });
  }

  stop() {
    if (this.timer !== null) window.clearTimeout(this.timer);
  }
}

const RECONNECT_MILLISECONDS = 4_000;

/** Listens to the server as long as the page lives. After a break everything is refetched, since notices were missed. */
export function useLiveUpdates(): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    const gatherer = new Gatherer(client, 250);
    let source: EventSource | null = null;
    let again: number | null = null;
    let missed = false;
    const connect = () => {
      source = new EventSource(`${apiRoot}/stream`, { withCredentials: true });
      source.onopen = () => {
        setState("live");
        if (missed) client.invalidateQueries();
        missed = false;
      };
      source.onerror = () => {
        missed = true;
        setState("offline");
        // The browser reconnects by itself, except after an answer that was not a stream.
        if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(connect, RECONNECT_MILLISECONDS);
      };
      source.addEventListener("resync", () => void client.invalidateQueries());
      for (const [name, keys] of Object.entries(staleBy)) {
        source.addEventListener(name, (event) => {
          for (const key of keys(JSON.parse((event as MessageEvent).data))) gatherer.add(key);
        });
      }
    };
    connect();
    return () => {
      source?.close();
      if (again !== null) window.clearTimeout(again);
      gatherer.stop();
    };
  }, [client]);
  return state;
}
