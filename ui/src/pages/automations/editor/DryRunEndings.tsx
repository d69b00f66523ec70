import type { DryRunCancel, DryRunEnding } from "@/api/automations";
import { ExplanationTree } from "@/parts/ExplanationTree";
import { withInstants } from "@/parts/instants";
import { ProblemLines } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { texts } from "@/texts";

const said = texts.inspector;
const tones = { goal: "good", exit: "warn" } as const;

/** What the goal, the exit and the events that cancel say of the sample, each with why. */
export function DryRunEndings({ endings, cancels }: { endings: DryRunEnding[]; cancels: DryRunCancel[] }) {
  if (endings.length + cancels.length === 0) return null;
  return (
    <section aria-label={said.endings}>
      <h4 className="eyebrow mb-2">{said.endings}</h4>
      <ul className="flex flex-col gap-2">
        {endings.map(({ ending, met_before, text, explanation }) => (
          <li key={ending} className="card p-2.5">
            <div className="flex items-center gap-2">
              <span className="min-w-0 flex-1 font-medium">{texts.ending[ending]}</span>
              <Badge tone={met_before === null ? "idle" : tones[ending]}>
                {met_before === null ? said.notMet : said.ends[ending]}
              </Badge>
            </div>
            <p className="mt-1 text-xs break-words text-soft">{withInstants(text)}</p>
            {explanation.tree && (
              <div className="mt-2">
                <ExplanationTree tree={explanation.tree} />
              </div>
            )}
          </li>
        ))}
        {cancels.map(({ event, text, problems }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same event may cancel in two ways
          <li key={index} className="card p-2.5">
            <div className="flex items-center gap-2">
              <code className="code min-w-0 flex-1 truncate font-medium">{event}</code>
              <Badge tone={problems.length > 0 ? "bad" : "idle"}>
                {problems.length > 0 ? said.neverCancels : said.cancels}
              </Badge>
            </div>
            <p className="mt-1 text-xs break-words text-soft">{withInstants(text)}</p>
            {problems.length > 0 && (
              <div className="text-bad">
                <ProblemLines problems={problems} where={(problem) => problem.path.split(".").pop() ?? ""} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
