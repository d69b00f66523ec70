import { plural } from "./plural";

/** The texts of replays: real runs of events of the past. */
export const replaying = {
  replays: {
    open: "Replay the past",
    title: (name: string) => `Replay the past over “${name}”`,
    lead: (version: number) =>
      `Version ${version}, the live one, acts on events that really happened, with its effects. Each event starts it once at most.`,
    from: "Events from",
    until: "Up to",
    perMinute: "Runs a minute",
    perMinuteHint: "At most, 1 to 6,000. What happens now goes first.",
    limit: "At most",
    limitHint: "Optional: so many runs in all",
    entity: "Only about",
    entityHint: "Optional: type:id, such as patient:p-1",
    badEntity: "Write it as type:id.",
    badWindow: "The window ends before it begins.",
    dropped: "Also what flow control dropped at the time",
    look: "See what it would start",
    looking: (events: number, of: number) => `${events.toLocaleString()} of ${plural(of, "event", "events")}`,
    none: "No event that it listens to happened in that time.",
    would: (runs: number) => (runs ? `It would start ${plural(runs, "run", "runs")}.` : "It would start nothing."),
    lasts: (minutes: number) =>
      minutes <= 1 ? "That takes about a minute." : `That takes about ${minutes.toLocaleString()} minutes.`,
    counts: {
      started: "Start",
      already: "Started it before",
      dropped: "Dropped at the time",
      not_met: "Its condition does not hold",
      left_out: "Left out",
      undecided: "Could not be decided",
      gone: "Not kept any more",
    } as Record<string, string>,
    start: (runs: number) => `Start ${plural(runs, "run", "runs")}`,
    begun: "The replay has begun.",
    effects: "These are real runs: mails are sent, other systems are called.",
    before: "Its replays",
    noneYet: "None yet.",
    window: (since: string, until: string) => `${since} to ${until}`,
    pace: (count: number) => `${plural(count, "run", "runs")} a minute at most`,
    startedSoFar: (count: number) => `${plural(count, "run", "runs")} started`,
    seeRuns: "See its runs",
    status: { running: "Under way", paused: "Paused", completed: "Completed", cancelled: "Cancelled" } as Record<
      string,
      string
    >,
    act: { pause: "Pause", resume: "Resume", cancel: "Cancel the replay" },
    cancelTitle: "Cancel this replay?",
    cancelHelp:
      "It starts nothing more. The runs that it started go on; they can be cancelled on the page of the runs.",
    mark: "Replayed",
    filter: "Of one replay",
  },
} as const;
