import { texts } from "@/texts";
import { cx } from "./classes";

export type Tone = "good" | "bad" | "warn" | "info" | "idle";

const tones: Record<Tone, string> = {
  good: "bg-good-wash text-good",
  bad: "bg-bad-wash text-bad",
  warn: "bg-warn-wash text-warn",
  info: "bg-info-wash text-info",
  idle: "bg-idle-wash text-soft",
};

const byStatus: Record<string, Tone> = {
  completed: "good",
  active: "good",
  published: "good",
  matched: "good",
  started: "good",
  resolved: "good",
  failed: "bad",
  invalid: "bad",
  error: "bad",
  unknown: "bad",
  open: "bad",
  partial: "warn",
  paused: "warn",
  waiting: "info",
  running: "info",
  ready: "info",
  pending: "info",
  retrying: "info",
};

export function toneOf(status: string): Tone {
  return byStatus[status] ?? "idle";
}

export function Badge({ tone = "idle", children, title }: { tone?: Tone; children: React.ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-5 items-center gap-1 rounded-full px-2 text-2xs font-medium whitespace-nowrap",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}

export function Dot({ tone, live = false }: { tone: Tone; live?: boolean }) {
  return (
    <span
      aria-hidden
      className={cx("inline-block size-1.5 shrink-0 rounded-full bg-current", live && "animate-live", dotTones[tone])}
    />
  );
}
const dotTones: Record<Tone, string> = {
  good: "text-good",
  bad: "text-bad",
  warn: "text-warn",
  info: "text-info",
  idle: "text-faint",
};

export function StatusBadge({ status }: { status: string }) {
  const tone = toneOf(status);
  return (
    <Badge tone={tone}>
      <Dot tone={tone} live={status === "running"} />
      {texts.status[status] ?? status.replaceAll("_", " ")}
    </Badge>
  );
}
