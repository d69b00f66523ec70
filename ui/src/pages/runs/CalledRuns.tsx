import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { calledQuery } from "@/api/runs";
import type { RunDetail, RunStep } from "@/api/types";
import { More } from "@/parts/More";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Card } from "@/parts/Page";
import { StatusBadge } from "@/parts/Status";
import { texts } from "@/texts";

/** The step of a run that calls an automation for each item of its list; null for any other. */
export function callerOf(run: RunDetail, step: RunStep): string | null {
  const id = step.id.replace(/\[\d*\]$/s, "");
  const known = run.document?.steps.find((one) => one.id === (step.step_id ?? id));
  return known?.for_each !== undefined && known.call !== undefined ? id : null;
}

/** The runs that a step called for the items of its list, page by page, each leading to its run. */
export function CalledRuns({ run, step }: { run: RunDetail; step: string }) {
  const list = useInfiniteQuery(calledQuery(run.id, step));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={texts.runs.calledRuns(step)} flush>
      {list.isPending ? (
        <SkeletonRows rows={3} />
      ) : list.error ? (
        <div className="p-4">
          <ErrorNote what={texts.errors.load("the runs it called")} error={list.error} onRetry={() => list.refetch()} />
        </div>
      ) : (
        <ul aria-label={texts.runs.calledRuns(step)} className="max-h-96 divide-y divide-line overflow-y-auto">
          {items.map((item) => (
            <li key={item.id} className="flex items-center gap-3 px-4 py-2 text-sm">
              <span className="min-w-0 flex-1 truncate">{texts.form.item((item.item ?? 0) + 1)}</span>
              {item.called_run ? (
                <>
                  <StatusBadge status={item.called_run.status} />
                  <Link
                    to="/runs/$id"
                    params={{ id: item.called_run.id }}
                    aria-label={texts.runs.calledFor((item.item ?? 0) + 1)}
                    className="font-medium text-accent-text hover:underline"
                  >
                    {texts.runs.openRun}
                  </Link>
                </>
              ) : (
                <span className="text-xs text-faint">{texts.runs.notCalled}</span>
              )}
            </li>
          ))}
        </ul>
      )}
      <More query={list} />
    </Card>
  );
}
