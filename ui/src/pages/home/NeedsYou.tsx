import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight, CircleCheck, TriangleAlert } from "lucide-react";
import { runsQuery } from "@/api/runs";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { groupFailures } from "./failures";

/** What is broken now, before anything else: failed runs, those with one cause together. */
export function NeedsYou() {
  const failed = useInfiniteQuery(runsQuery({ status: "failed" }, 50));
  const runs = failed.data?.pages.flatMap((page) => page.items) ?? [];
  if (failed.isPending || failed.error) return null;
  const groups = groupFailures(runs);
  if (groups.length === 0) {
    return (
      <p className="card flex items-center gap-2.5 px-4 py-3 text-sm text-soft">
        <CircleCheck size={16} aria-hidden className="text-good" />
        {texts.home.allWell}
      </p>
    );
  }
  return (
    <section aria-label={texts.home.needsYou} className="card overflow-hidden border-bad/30">
      <h2 className="flex items-center gap-2 border-b border-line bg-bad-wash px-4 py-2.5 text-sm font-semibold text-bad">
        <TriangleAlert size={15} aria-hidden />
        {texts.home.needsYou}
      </h2>
      <ul>
        {groups.slice(0, 5).map((group) => (
          <li key={group.key} className="border-b border-line last:border-0">
            <Link
              to={group.runs.length === 1 ? "/runs/$id" : "/runs"}
              params={{ id: group.latest.id }}
              search={group.runs.length === 1 ? {} : { status: "failed", automation: group.latest.automation.id }}
              className="flex items-center gap-3 px-4 py-2.5 hover:bg-hover"
            >
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">
                  {group.latest.automation.name}
                  {group.step && (
                    <span className="ml-1.5 font-normal text-faint">{texts.home.failedAt(group.step)}</span>
                  )}
                </span>
                <span className="block truncate text-xs text-bad">{group.latest.error?.message}</span>
              </span>
              <span className="text-xs whitespace-nowrap text-soft">{texts.home.failedRuns(group.runs.length)}</span>
              <span className="w-20 text-right text-xs text-faint">
                <Ago at={group.latest.finished_at ?? group.latest.created_at} />
              </span>
              <ChevronRight size={14} aria-hidden className="text-faint" />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
