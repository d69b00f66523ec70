import type { AutomationItem, Page, RunSummary } from "@/api/types";

export type FailureGroup = { key: string; step: string | null; runs: RunSummary[]; latest: RunSummary };

/** Numbers, ids and quoted values differ from run to run; what is left of the text is its fingerprint. */
export function fingerprint(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'/g, "…")
    .replaceAll(/[0-9a-f]{8,}(-[0-9a-f]+)*/gi, "#")
    .replaceAll(/\d+/g, "#");
}

/** Those of these failed runs that somebody should look at: not what was tried out, nor what is deleted since. */
export function needingSomeone(runs: RunSummary[], known: Page<AutomationItem>): RunSummary[] {
  const ids = new Set(known.items.map((item) => item.id));
  return runs.filter((run) => !run.test && (known.next || ids.has(run.automation.id)));
}

/** Failed runs with one cause together: the same automation, step, code and kind of message. The newest group first. */
export function groupFailures(runs: RunSummary[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const run of runs) {
    const step = run.error?.step_id ?? null;
    const key = [run.automation.id, step, run.error?.code, fingerprint(run.error?.message ?? "")].join("\n");
    const group = groups.get(key);
    if (group) group.runs.push(run);
    else groups.set(key, { key, step, runs: [run], latest: run });
  }
  return [...groups.values()];
}
