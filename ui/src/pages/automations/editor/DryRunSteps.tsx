import type { DryRunStep, Json } from "@/api/types";
import type { StepKind } from "@/outline/model";
import { StepIcon } from "@/outline/StepIcon";
import { cx } from "@/parts/classes";
import { withInstants } from "@/parts/instants";
import { ProblemLines } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { texts } from "@/texts";

/** What each step would do with the sample, its arguments filled in. */
export function DryRunSteps({ steps }: { steps: DryRunStep[] }) {
  if (steps.length === 0) return null;
  return (
    <section aria-label={texts.inspector.steps}>
      <h4 className="eyebrow mb-2">{texts.inspector.steps}</h4>
      <ol className="flex flex-col gap-2">
        {steps.map((step) => (
          <li
            key={step.id}
            className={cx(
              "p-2.5",
              step.would === "skip" ? "rounded-lg border border-dashed border-line-strong" : "card",
            )}
          >
            <div className="flex items-center gap-2">
              <StepIcon kind={step.kind as StepKind} action={step.action} size={22} />
              <span className="min-w-0 flex-1 truncate font-medium">{step.id}</span>
              <Would step={step} />
            </div>
            {step.text && <p className="mt-1 text-xs text-soft">{withInstants(step.text)}</p>}
            <Arguments value={step.arguments} />
            {step.problems && step.problems.length > 0 && (
              <div className="text-bad">
                <ProblemLines problems={step.problems} where={(problem) => problem.path.split(".").pop() ?? ""} />
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A step whose arguments cannot be filled in would be started, and fail. */
function Would({ step }: { step: DryRunStep }) {
  if (step.would === "perform" && step.problems?.length) return <Badge tone="bad">{texts.inspector.wouldFail}</Badge>;
  return (
    <Badge tone={step.would === "perform" ? "good" : "idle"}>{texts.inspector.would[step.would] ?? step.would}</Badge>
  );
}

function Arguments({ value }: { value: Json | undefined }) {
  if (value === null || value === undefined || typeof value !== "object" || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length === 0) return null;
  return (
    <dl className="mt-1.5 flex flex-col gap-1 border-t border-line pt-1.5">
      {entries.map(([name, inner]) => (
        <div key={name} className="flex gap-2 text-xs">
          <dt className="w-24 shrink-0 truncate text-faint">{name}</dt>
          <dd className="min-w-0 flex-1 break-words whitespace-pre-wrap">
            {typeof inner === "string" ? inner : JSON.stringify(inner)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
