import { Slider } from "radix-ui";
import { DurationField } from "@/outline/DurationField";
import { addApart } from "@/outline/editing";
import { newStep } from "@/outline/model";
import { TargetSelect } from "@/outline/TargetSelect";
import { Field, FieldError, TextArea, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";

export function SettingsForm({ document, checks, actions, onEdit, onPick }: BodyProps) {
  const error = (path: string) => checks.problems.find((problem) => problem.path.startsWith(path))?.message;
  const nameError = error("name");
  return (
    <>
      <FormHead title={texts.priority.title} lead={texts.priority.lead} />
      <div className="mb-7 flex items-center gap-4">
        <Slider.Root
          min={1}
          max={10}
          step={1}
          value={[document.priority]}
          onValueChange={([priority]) => onEdit({ ...document, priority: priority ?? document.priority }, "priority")}
          className="relative flex h-6 w-full max-w-96 touch-none items-center select-none"
        >
          <Slider.Track className="relative h-1.5 grow rounded-full bg-line-strong">
            <Slider.Range className="absolute h-full rounded-full bg-accent" />
          </Slider.Track>
          <Slider.Thumb
            aria-label={texts.priority.title}
            className="block size-4 rounded-full border-2 border-accent bg-white shadow-card"
          />
        </Slider.Root>
        <output className="grid h-8 w-10 place-items-center rounded-md border border-line bg-sunken text-base font-semibold tabular-nums">
          {document.priority}
        </output>
      </div>
      {error("priority") && <FieldError>{error("priority")}</FieldError>}
      <Field label={texts.editor.description} hint={texts.editor.descriptionHint} error={error("description")}>
        {(control) => (
          <TextArea
            {...control}
            rows={4}
            value={document.description ?? ""}
            onChange={(event) => onEdit({ ...document, description: event.target.value }, "description")}
          />
        )}
      </Field>
      <div className="mt-7 grid gap-4 sm:grid-cols-2">
        <Field label={texts.labels.folder} hint={texts.labels.folderHint} error={error("folder")}>
          {(control) => (
            <TextInput
              {...control}
              value={document.folder ?? ""}
              onChange={(event) => onEdit({ ...document, folder: event.target.value || undefined }, "folder")}
            />
          )}
        </Field>
        <Field label={texts.labels.tags} hint={texts.labels.tagsHint} error={error("tags")}>
          {(control) => (
            <TextInput
              {...control}
              key={(document.tags ?? []).join()}
              defaultValue={(document.tags ?? []).join(", ")}
              onBlur={(event) => onEdit({ ...document, tags: tagsOf(event.target.value) }, "tags")}
            />
          )}
        </Field>
      </div>
      <section aria-label={texts.limits.title} className="mt-7 grid gap-4 sm:grid-cols-2">
        <DurationField
          label={texts.limits.timeout}
          hint={texts.limits.timeoutHint}
          value={document.timeout}
          error={error("timeout")}
          onChange={(timeout) => onEdit({ ...document, timeout }, "timeout")}
        />
        <TargetSelect
          label={texts.limits.onFailure}
          steps={document.steps}
          at={-1}
          value={document.on_failure}
          unset={{ words: texts.limits.onFailureUnset }}
          error={error("on_failure")}
          hint={texts.limits.onFailureHint}
          actions={actions}
          onAdd={(kind, action) => {
            const made = newStep(document.steps, kind, action);
            const { steps, at } = addApart(document.steps, made);
            onEdit({ ...document, steps, on_failure: made.id });
            onPick({ part: "step", at });
          }}
          onChange={(on_failure) => onEdit({ ...document, on_failure })}
        />
        <Field label={texts.limits.queue} hint={texts.limits.queueHint} error={error("queue")}>
          {(control) => (
            <TextInput
              {...control}
              placeholder="automation"
              value={document.queue ?? ""}
              onChange={(event) => onEdit({ ...document, queue: event.target.value || undefined }, "queue")}
            />
          )}
        </Field>
      </section>
      {nameError && (
        <div className="mt-4">
          <FieldError>{document.name.trim() ? nameError : texts.editor.nameMissing}</FieldError>
        </div>
      )}
    </>
  );
}

/** The tags that a comma separated text names, each once. */
function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter(Boolean);
}
