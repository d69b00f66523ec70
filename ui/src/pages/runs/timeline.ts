import type { Attempt, AutomationDocument, RunStep } from "@/api/types";
import { kindOf } from "@/outline/model";

/** A stretch of the run's time on screen, as fractions of the whole width. */
export type Bar = { left: number; width: number };
export type Lane = { attempt: Attempt; bar: Bar };
export type TimelineRow = { step: RunStep; lanes: Lane[]; bar: Bar | null; idle: boolean };

const MIN_WIDTH = 0.006;
/** Kinds of steps in which the run does nothing itself. */
const IDLE = new Set(["delay", "wait_for_event", "call"]);

type Stretch = { from: number; to: number };

function stretchOf(step: RunStep, now: number): Stretch | null {
  if (!step.started_at) return null;
  return { from: Date.parse(step.started_at), to: step.finished_at ? Date.parse(step.finished_at) : now };
}

/** Waits last days while steps last milliseconds: a wait takes a fixed small share, whatever its length. */
export function layOut(steps: RunStep[], now: number): TimelineRow[] {
  const axis = new Axis(steps, now);
  return steps.map((step) => {
    const idle = IDLE.has(step.kind);
    const stretch = stretchOf(step, now);
    const lanes = step.attempts.flatMap((attempt) => {
      if (!attempt.started_at) return [];
      const to = attempt.finished_at ? Date.parse(attempt.finished_at) : now;
      return [{ attempt, bar: axis.bar(Date.parse(attempt.started_at), to) }];
    });
    return { step, lanes, bar: stretch ? axis.bar(stretch.from, stretch.to) : null, idle };
  });
}

/** Maps instants to the width, with every idle stretch squeezed to the same short length. */
class Axis {
  private readonly gaps: Stretch[];
  private readonly start: number;
  private readonly gapLength: number;
  private readonly length: number;

  constructor(steps: RunStep[], now: number) {
    const stretches = steps.flatMap((step) => stretchOf(step, now) ?? []);
    this.start = Math.min(...stretches.map((stretch) => stretch.from), now);
    const end = Math.max(...stretches.map((stretch) => stretch.to), this.start + 1);
    const busy = steps.flatMap((step) => attemptsOf(step, now));
    this.gaps = gapsBetween(busy, this.start, end);
    const idle = this.gaps.reduce((sum, gap) => sum + (gap.to - gap.from), 0);
    const active = Math.max(1, end - this.start - idle);
    this.gapLength = this.gaps.length ? active * Math.min(0.25, 0.6 / this.gaps.length) : 0;
    this.length = active + this.gapLength * this.gaps.length;
  }

  private at(instant: number): number {
    let position = instant - this.start;
    for (const gap of this.gaps) {
      if (instant <= gap.from) break;
      const inside = Math.min(instant, gap.to) - gap.from;
      position += (inside / (gap.to - gap.from)) * this.gapLength - inside;
    }
    return Math.min(1, Math.max(0, position / this.length));
  }

  bar(from: number, to: number): Bar {
    const left = Math.min(this.at(from), 1 - MIN_WIDTH);
    return { left, width: Math.max(MIN_WIDTH, this.at(to) - left) };
  }
}

function attemptsOf(step: RunStep, now: number): Stretch[] {
  if (IDLE.has(step.kind)) return [];
  const tries = step.attempts.flatMap((attempt) =>
    attempt.started_at
      ? [{ from: Date.parse(attempt.started_at), to: attempt.finished_at ? Date.parse(attempt.finished_at) : now }]
      : [],
  );
  const whole = stretchOf(step, now);
  return tries.length ? tries : whole ? [whole] : [];
}

const GAP_MIN = 2_000;

function gapsBetween(busy: Stretch[], start: number, end: number): Stretch[] {
  const gaps: Stretch[] = [];
  let reached = start;
  for (const stretch of [...busy].sort((a, b) => a.from - b.from)) {
    if (stretch.from - reached > GAP_MIN) gaps.push({ from: reached, to: stretch.from });
    reached = Math.max(reached, stretch.to);
  }
  if (end - reached > GAP_MIN) gaps.push({ from: reached, to: end });
  return gaps;
}

/** The steps of the document the run has no row for yet; drawn grey below those it has. */
export function notReached(
  document: AutomationDocument | null,
  steps: RunStep[],
): { id: string; kind: string; action: string | null }[] {
  const known = new Set(steps.map((step) => step.step_id ?? step.id));
  return (document?.steps ?? [])
    .filter((step) => !known.has(step.id))
    .map((step) => ({ id: step.id, kind: kindOf(step), action: step.action ?? null }));
}

const OPEN = new Set(["running", "waiting", "ready"]);

/** The step a page opens by itself: what failed, else where the run stands, else the last that happened. */
export function stepToShow(steps: RunStep[]): RunStep | undefined {
  return (
    steps.find((step) => step.status === "failed") ??
    steps.find((step) => OPEN.has(step.status)) ??
    steps.findLast((step) => step.started_at !== null) ??
    steps[0]
  );
}
