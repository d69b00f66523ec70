import { plural } from "./plural";

/** The texts of the page that tells how an automation did. */
export const insights = {
  insights: {
    open: "Insights",
    lead: "How its runs did, where their time goes, and what could be better.",
    window: "Look back",
    windows: { "1": "One day", "7": "7 days", "30": "30 days", "90": "90 days", all: "All that is kept" } as Record<
      string,
      string
    >,
    again: "Look again",
    edit: "Edit",
    draft: "Its draft has changes that are not live; the figures are of the live version.",
    runs: "Runs that ended",
    ofVersion: (version: number) => `of version ${version}, the live one`,
    newest: (count: number) => `the newest ${count.toLocaleString()}, since`,
    since: "since",
    success: "Success rate",
    outcomes: {
      completed: (count: number) => `${count.toLocaleString()} completed`,
      partial: (count: number) => `${count.toLocaleString()} partly done`,
      failed: (count: number) => `${count.toLocaleString()} failed`,
    },
    durations: "How long runs take",
    parts: {
      whole: { title: "From start to end", help: "" },
      work: { title: "At work", help: "while an action was being done" },
      asleep: { title: "Asleep", help: "in delays, waits and calls" },
    },
    half: "half, at most",
    most: "95 %, at most",
    lastRun: "Last run",
    advice: "What could be better",
    adviceNone:
      "Nothing stands out. No step fails or is repeated often, none is near its time limit, and no condition costs much.",
    adviceFew: (runs: number, needed: number) =>
      `Advice begins with ${needed} runs, so that chance does not speak; ${plural(runs, "run has", "runs have")} ended so far.`,
    goTo: (place: string) => `Open “${place}” in the editor`,
    steps: "Slowest steps",
    stepsHelp: "Each action, by how long one attempt takes.",
    stepsNone: "It has no steps that perform an action.",
    conditions: "Costliest conditions",
    conditionsHelp: (events: number) =>
      `Asked again of the newest ${plural(events, "event", "events")} of its runs. A step of work is about half a microsecond.`,
    conditionsUnasked: "Nothing to ask them of: no event of its runs is kept.",
    conditionsNone: "It has no conditions.",
    columns: {
      step: "Step",
      half: "Half take",
      most: "95 % take",
      times: "Done",
      failed: "Failed",
      retried: "Repeated",
      condition: "Condition",
      rules: "Rules",
      mean: "Work on average",
      max: "At most",
    },
    workSteps: (steps: number) => plural(steps, "step", "steps"),
    none: "No run has ended yet",
    noneHelp: (version: number) =>
      `Version ${version} is live. Once its runs end, this page says how long they take and what could be better.`,
    noneInWindow: "No run ended in that time",
    noneInWindowHelp: "Look further back, or see its runs.",
    unpublished: "It was never published",
    unpublishedHelp: "A draft starts no runs. Publish it, and this page says how its runs do.",
  },
} as const;
