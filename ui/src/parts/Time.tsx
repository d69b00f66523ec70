import { useSyncExternalStore } from "react";
import { ago, exact, span } from "./instants";
import { Tip } from "./Tip";

// One clock for the whole page: every age on screen moves at once.
let now = Date.now();
const listeners = new Set<() => void>();
let timer: number | null = null;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== null) {
      window.clearInterval(timer);
      timer = null;
    }
  };
}

/** The current instant in milliseconds, renewed each second while something on screen uses it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** How long ago; the exact instant on hover and to a screen reader. */
export function Ago({ at }: { at: string }) {
  const text = ago(Date.parse(at), useNow());
  return (
    <Tip text={exact(at)}>
      <time dateTime={at} className="whitespace-nowrap tabular-nums">
        {text}
      </time>
    </Tip>
  );
}

export function Exact({ at }: { at: string }) {
  return (
    <time dateTime={at} className="whitespace-nowrap tabular-nums">
      {exact(at)}
    </time>
  );
}

/** A duration that grows while it lasts. */
export function Lasting({ from, to }: { from: string | null; to: string | null }) {
  const current = useNow();
  if (!from) return null;
  const end = to ? Date.parse(to) : current;
  return <span className="tabular-nums">{span(Math.max(0, end - Date.parse(from)))}</span>;
}
