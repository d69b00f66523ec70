import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight, CircleCheck, TriangleAlert } from "lucide-react";
import { automationNamesQuery } from "@/api/automations";
import { runsQuery } from "@/api/runs";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { groupFailures, needingSomeone } from "./failures";

/** What is broken now, before anything else: failed runs, those with one cause together. */
export function NeedsYou() {
  const failed = useInfiniteQuery(runsQuery({ status: "failed" }, 200));
  const names = useQuery(automationNamesQuery);
  if (!failed.data || !names.data) return null;
  const runs = failed.data.pages.flatMap((page) => page.items);
  const groups = groupFailures(needingSomeone(runs, names.data));
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
              className="flex flex-wrap items-center gap-x-3 px-4 py-2.5 hover:bg-hover md:flex-nowrap"
            >
              <span className="min-w-0 flex-1 max-md:basis-full">
                <span className="block truncate font-medium">
                  {group.latest.automation.name}
                  {group.step && (
                    <span className="ml-1.5 font-normal text-faint">{texts.home.failedAt(group.step)}</span>
                  )}
                </span>
                <span className="block truncate text-xs text-bad">{group.latest.error?.message}</span>
              </span>
              <span className="text-xs whitespace-nowrap text-soft">{texts.home.failedRuns(group.runs.length)}</span>
              <span className="text-right text-xs text-faint md:w-20">
                <Ago at={group.latest.finished_at ?? group.latest.created_at} />
              </span>
              <ChevronRight size={14} aria-hidden className="text-faint max-md:ml-auto" />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
