import { FlaskConical } from "lucide-react";
import type { AutomationItem, JsonObject } from "@/api/types";
import { Button } from "@/parts/Button";
import { ExplanationTree } from "@/parts/ExplanationTree";
import { Field, Select } from "@/parts/Field";
import { exact } from "@/parts/instants";
import { JsonEditor } from "@/parts/JsonEditor";
import { ErrorNote } from "@/parts/Notes";
import { Spinner } from "@/parts/Spinner";
import { texts } from "@/texts";
import { isSaid } from "../trigger";
import { DryRunEndings } from "./DryRunEndings";
import { DryRunSteps } from "./DryRunSteps";
import type { BodyProps } from "./EditorBody";
import { Sentence } from "./Sentence";
import type { SampleState } from "./useSample";

/** Tries the automation on a sample: what would start, why, and what each step would do. Nothing is performed. */
export function Inspector({ item, dirty, document, sample, checks, running, runError, onRun }: BodyProps) {
  const { dryRun } = checks;
  return (
    <section aria-label={texts.inspector.title} className="flex flex-col gap-4">
      <header className="flex items-center gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="text-base font-semibold">{texts.inspector.title}</h3>
          <p className="text-xs text-faint">{texts.inspector.lead}</p>
        </div>
        {checks.isTrying && <Spinner />}
      </header>
      {isSaid(document.trigger) ? (
        <>
          <SampleChooser sample={sample} />
          {checks.dryRunError && checks.all.length === 0 && (
            <ErrorNote what={texts.inspector.failed} error={checks.dryRunError} />
          )}
          {dryRun && (
            <>
              <Sentence holds={dryRun.would_start} text={dryRun.explanation?.text} />
              {dryRun.explanation?.tree && <ExplanationTree tree={dryRun.explanation.tree} />}
              <DryRunEndings endings={dryRun.endings} cancels={dryRun.cancel_on} />
              <DryRunSteps steps={dryRun.steps} />
            </>
          )}
          <div className="border-t border-line pt-4">
            <Button
              className="w-full"
              icon={<FlaskConical size={14} />}
              busy={running}
              disabled={!item || item.version === null}
              onClick={() => onRun(sample)}
            >
              {texts.inspector.real}
            </Button>
            <p className="mt-1.5 text-xs text-faint">
              {texts.inspector.realHint} {realNote(item, dirty)}
            </p>
            {runError && (
              <div className="mt-2">
                <ErrorNote what={texts.errors.action("start the test run")} error={runError} />
              </div>
            )}
          </div>
        </>
      ) : (
        <p className="text-sm text-faint">{texts.inspector.chooseEvent}</p>
      )}
    </section>
  );
}

function realNote(item: AutomationItem | null, dirty: boolean): string {
  if (!item || item.version === null) return texts.inspector.realNeedsVersion;
  return dirty || item.has_draft_changes ? texts.inspector.realRuns(item.version) : "";
}

function SampleChooser({ sample }: { sample: SampleState }) {
  return (
    <div className="flex flex-col gap-2">
      <Field
        label={texts.inspector.sample}
        aside={sample.isEdited && <span className="text-xs text-warn">{texts.inspector.edited}</span>}
      >
        {(control) => (
          <Select {...control} value={sample.id} onChange={(event) => sample.choose(event.target.value)}>
            <option value={sample.typeId}>
              {sample.hasTypeSample ? texts.inspector.typeSample : texts.inspector.noSample}
            </option>
            {sample.pastEvents.length > 0 && (
              <optgroup label={texts.inspector.pastGroup}>
                {sample.pastEvents.map((event) => (
                  <option key={event.id} value={event.id}>
                    {texts.inspector.past(
                      event.entity ? `${event.entity.type} ${event.entity.id}` : event.name,
                      exact(event.accepted_at),
                    )}
                  </option>
                ))}
              </optgroup>
            )}
          </Select>
        )}
      </Field>
      <details>
        <summary className="w-fit rounded text-xs font-medium text-soft hover:text-ink">
          {texts.inspector.editData}
        </summary>
        <JsonEditor
          className="mt-2"
          label={texts.inspector.data}
          rows={10}
          value={sample.data}
          onChange={(value) => {
            if (value !== null && typeof value === "object" && !Array.isArray(value)) sample.edit(value as JsonObject);
          }}
        />
      </details>
    </div>
  );
}
