import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/parts/Button";
import { FieldError, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import type { Part } from "./part";
import { errorJustAt } from "./problems";
import { TargetSelect } from "./TargetSelect";

type Path = { weight: number; next: string | null; name?: string };
const PATHS_MIN = 2;

/** Ways that are taken by lot: a name, a weight with its share of all, and where each leads. */
export function SplitForm({ step, steps, at, set, error, addOn, actions, problems, endsBranch }: Part) {
  const paths = Array.isArray(step.split) ? step.split : [];
  const put = (index: number, changed: Partial<Path>) =>
    set({ ...step, split: paths.map((path, one) => (one === index ? { ...path, ...changed } : path)) });
  const all = paths.reduce((sum, path) => sum + (Number(path.weight) || 0), 0);
  const bad = errorJustAt(problems, `steps[${at}].split`);
  return (
    <section aria-label={texts.steps.paths}>
      <h4 className="text-sm font-medium">{texts.steps.paths}</h4>
      <p className="mb-3 text-xs text-faint">{texts.steps.pathsLead}</p>
      <ol className="flex flex-col gap-2">
        {paths.map((path, index) => {
          const letter = String.fromCharCode(65 + index);
          const wrong = ["weight", "next", "name"].map((name) => error(`split[${index}].${name}`)).find(Boolean);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a way's place is its identity here
            <li key={index} className="rounded-lg border border-line bg-sunken/60 p-2.5">
              <div className="flex flex-wrap items-center gap-2">
                <TextInput
                  aria-label={texts.steps.pathName(letter)}
                  placeholder={texts.steps.pathNamePlaceholder(letter)}
                  className="min-w-28 flex-1"
                  value={path.name ?? ""}
                  onChange={(event) => put(index, { name: event.target.value || undefined })}
                />
                <TextInput
                  aria-label={texts.steps.pathWeight(letter)}
                  aria-invalid={error(`split[${index}].weight`) ? true : undefined}
                  type="number"
                  min={0}
                  className="w-20!"
                  value={path.weight}
                  onChange={(event) => put(index, { weight: Number(event.target.value) })}
                />
                <output className="w-14 text-right text-sm text-soft tabular-nums">
                  {texts.steps.share(all > 0 ? Math.round(((Number(path.weight) || 0) / all) * 1000) / 10 : 0)}
                </output>
                <IconButton
                  danger
                  label={texts.steps.removePath(letter)}
                  icon={<X size={14} />}
                  disabled={paths.length <= PATHS_MIN}
                  onClick={() => set({ ...step, split: paths.filter((_, one) => one !== index) })}
                />
              </div>
              <div className="mt-2 flex items-center gap-2">
                <span aria-hidden className="text-xs text-faint">
                  →
                </span>
                <TargetSelect
                  bare
                  label={texts.steps.pathNext(letter)}
                  steps={steps}
                  at={at}
                  value={path.next}
                  endsBranch={endsBranch}
                  error={error(`split[${index}].next`)}
                  actions={actions}
                  onAdd={addOn(`split[${index}]`)}
                  onChange={(next) => put(index, { next: next ?? null })}
                />
              </div>
              {wrong && <FieldError>{wrong}</FieldError>}
            </li>
          );
        })}
      </ol>
      {bad && <FieldError>{bad}</FieldError>}
      <Button
        size="sm"
        look="quiet"
        className="mt-2"
        icon={<Plus size={13} />}
        onClick={() => set({ ...step, split: [...paths, { weight: all / (paths.length || 1) || 50, next: null }] })}
      >
        {texts.steps.addPath}
      </Button>
    </section>
  );
}
