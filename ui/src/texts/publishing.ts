import { plural } from "./plural";

/** The texts of publishing, of versions, of what two editors tell each other, and of what comes in from elsewhere. */
export const publishing = {
  publishing: {
    title: (name: string) => `Publish “${name}”`,
    lead: "The draft becomes the next version, and is on.",
    changes: (version: number) => `What changes from version ${version}`,
    nothing: "Nothing changed since this version was published. Publishing turns it on, and makes no new version.",
    warnings: "Mind",
    inFlight: "Runs under way",
    none: "No run is under way.",
    stay: (count: number) =>
      `${plural(count, "run is", "runs are")} under way on this version, and ${count === 1 ? "goes" : "go"} on.`,
    onVersions: (count: number, versions: string) => `${plural(count, "run is", "runs are")} under way: ${versions}.`,
    onVersion: (count: number, version: number) => `${count.toLocaleString()} on version ${version}`,
    choices: {
      finish: {
        title: "Finish on their version",
        help: "What they began is brought to an end as it was. Only new runs take the new version.",
      },
      move: {
        title: "Move to the new version",
        help: "Those that rest at a step of the new version go on there; their waits stay as they are. The others finish on theirs.",
      },
      cancel: { title: "Cancel them", help: "No further step of theirs starts. What was done stays done." },
    },
    publish: "Publish",
    cancelling: (count: number) => `Publish and cancel ${plural(count, "run", "runs")}`,
    done: (version: number | null) => `Version ${version ?? 1} is on.`,
    moved: (count: number) => `${plural(count, "run", "runs")} moved to it.`,
    cancelled: (count: number) => `${plural(count, "run was", "runs were")} cancelled.`,
    left: (count: number) => `${plural(count, "run finishes", "runs finish")} on the version they began with:`,
    underWay: (count: number) =>
      `${plural(count, "run was", "runs were")} at a step that is being performed, and ${count === 1 ? "stays" : "stay"} where ${count === 1 ? "it is" : "they are"}.`,
    again: "Try those again",
    draft: "Publish the draft",
    notDone: "Nothing was published.",
  },
  others: {
    stale: "Someone else saved this automation meanwhile. Your changes are still here. What they changed:",
    shown: "Someone else saved this automation; you see their version now. What they changed:",
    before: "Show what was here before",
    putTogether: "Put both together",
    loadTheirs: "Take theirs",
    saveMine: "Save mine over it",
    together: "Their changes and yours stand in one draft now. Save it, or undo to see only yours.",
    togetherBut: (both: string) =>
      `Their changes and yours stand in one draft now. Both changed ${both}: yours was kept there. Save it, or undo.`,
  },
  versions: {
    open: "Versions",
    title: (name: string) => `Versions of “${name}”`,
    lead: "Each publishing makes a version. No version is ever changed or lost.",
    none: "It was never published.",
    published: "Published",
    live: "live",
    pick: (version: number) => `Compare version ${version} with the draft`,
    changes: (version: number) => `From version ${version} to the draft`,
    same: "Nothing changed.",
    restore: (version: number) => `Make version ${version} the draft`,
    restored: (version: number) => `The draft is that of version ${version} again. Publish it to turn it on.`,
  },
} as const;
