import { CircleCheck, CircleSlash, Filter, Gauge, ListTodo, SlidersHorizontal, TriangleAlert, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { ResultMark } from "@/condition-builder/ResultMark";
import { inWords } from "@/condition-builder/words";
import { delayWords } from "@/outline/delays";
import { Outline } from "@/outline/Outline";
import { cx } from "@/parts/classes";
import { ErrorNote, ProblemLines } from "@/parts/Notes";
import { Spinner } from "@/parts/Spinner";
import { texts } from "@/texts";
import { endingWords } from "../ending";
import { flowWords } from "../flow";
import { triggerWords } from "../trigger";
import type { BodyProps } from "./EditorBody";
import { partOf, placeWords, type Selection } from "./selection";

/** The whole automation at a glance: when, if, then, and what is left to fix. */
export function OutlinePane(props: BodyProps) {
  const { document, selection, onSelect, onPick, onEdit, checks, operators, eventTypes } = props;
  const type = eventTypes.find((one) => one.name === document.trigger.event);
  const timeoutWords = delayWords(document.timeout).replace(/^for /, "");
  const isTimed = Boolean(document.trigger.schedule || document.trigger.manual);
  const bad = (part: Selection["part"]) => checks.problems.some((problem) => partOf(problem).part === part);
  return (
    <div className="flex flex-col gap-4">
      <Section title={texts.editor.trigger}>
        <PartRow
          icon={<Zap size={14} />}
          title={type?.title ?? (triggerWords(document.trigger) || texts.editor.anyEvent)}
          detail={type?.title ? document.trigger.event : undefined}
          bad={bad("trigger")}
          selected={selection.part === "trigger"}
          onSelect={() => onPick({ part: "trigger" })}
        />
      </Section>
      <Section title={texts.editor.condition}>
        <PartRow
          icon={<Filter size={14} />}
          title={inWords(document.condition, operators) || (isTimed ? texts.editor.everyTime : texts.editor.always)}
          bad={bad("condition")}
          selected={selection.part === "condition"}
          onSelect={() => onPick({ part: "condition" })}
          aside={checks.dryRun && <ResultMark result={checks.dryRun.would_start} />}
        />
      </Section>
      <Section title={texts.editor.steps}>
        <Outline
          document={document}
          actions={props.actions}
          operators={operators}
          problems={checks.problems}
          dryRun={checks.dryRun?.steps ?? []}
          selected={selection.part === "step" ? selection.at : null}
          onSelect={(at) => onPick(at === null ? { part: "condition" } : { part: "step", at })}
          onChange={(steps, selected) => {
            onEdit({ ...document, steps });
            onSelect(selected === null ? { part: "condition" } : { part: "step", at: selected });
          }}
        />
      </Section>
      <Section title={texts.editor.settings}>
        <PartRow
          icon={<Gauge size={14} />}
          title={flowWords(document.flow) || texts.flow.none}
          bad={bad("flow")}
          selected={selection.part === "flow"}
          onSelect={() => onPick({ part: "flow" })}
        />
        <PartRow
          icon={<CircleSlash size={14} />}
          title={endingWords(document, operators) || texts.ending.none}
          bad={bad("ending")}
          selected={selection.part === "ending"}
          onSelect={() => onPick({ part: "ending" })}
        />
        <PartRow
          icon={<SlidersHorizontal size={14} />}
          title={[texts.priority.value(document.priority), document.timeout ? texts.limits.words(timeoutWords) : ""]
            .filter(Boolean)
            .join(", ")}
          detail={document.description}
          bad={bad("settings")}
          selected={selection.part === "settings"}
          onSelect={() => onPick({ part: "settings" })}
        />
      </Section>
      <ProblemBox {...props} />
      <WarningBox {...props} />
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="eyebrow mb-1.5 px-0.5">{title}</h3>
      <div className="flex flex-col gap-2">{children}</div>
    </section>
  );
}

type PartProps = {
  icon: ReactNode;
  title: string;
  detail?: string;
  bad: boolean;
  selected: boolean;
  onSelect: () => void;
  aside?: ReactNode;
};

function PartRow({ icon, title, detail, bad, selected, onSelect, aside }: PartProps) {
  return (
    <button
      type="button"
      aria-current={selected ? "step" : undefined}
      onClick={onSelect}
      className={cx(
        "flex w-full items-center gap-2.5 rounded-lg border bg-surface p-2 text-left shadow-card",
        selected ? "border-accent ring-1 ring-accent" : bad ? "border-bad/60" : "border-line hover:border-line-strong",
      )}
    >
      <span aria-hidden className="grid size-[26px] shrink-0 place-items-center rounded-md bg-idle-wash text-soft">
        {icon}
      </span>
      <span className="min-w-0 flex-1">
        <span className="line-clamp-3 font-medium break-words">{title}</span>
        {detail && <span className="block truncate text-xs text-faint">{detail}</span>}
      </span>
      {aside}
    </button>
  );
}

/** Everything left to fix, each line leading to its place. Calm while a first draft is being built. */
function ProblemBox({ checks, document, onPick }: BodyProps) {
  const { all, problems, checking, checkError } = checks;
  if (checkError) return <ErrorNote what={texts.errors.action("check the automation")} error={checkError} />;
  if (all.length === 0) {
    return (
      <p role="status" className="flex items-center gap-2 px-1 text-sm text-soft">
        {checking ? <Spinner /> : <CircleCheck size={15} aria-hidden className="text-good" />}
        {checking ? texts.editor.checking : texts.editor.noProblems}
      </p>
    );
  }
  const calm = problems.length === 0;
  const title = calm ? texts.editor.todo : texts.editor.problems(all.length);
  return (
    <section
      aria-label={title}
      className={cx(
        "rounded-lg border p-3",
        calm ? "border-line bg-sunken text-soft" : "border-bad/30 bg-bad-wash text-bad",
      )}
    >
      <h3 className="flex items-center gap-2 text-sm font-semibold">
        {calm ? <ListTodo size={14} aria-hidden /> : <TriangleAlert size={14} aria-hidden />}
        {title}
      </h3>
      <ProblemLines
        problems={all}
        where={(problem) => placeWords(problem.path, document.steps)}
        onPick={(problem) => onPick(partOf(problem))}
      />
    </section>
  );
}

/** What may be published and could still go wrong: circles of automations. */
function WarningBox({ checks, document, onPick }: BodyProps) {
  if (checks.warnings.length === 0) return null;
  return (
    <section
      aria-label={texts.editor.warnings}
      className="rounded-lg border border-warn/30 bg-warn-wash p-3 text-sm text-warn"
    >
      <h3 className="flex items-center gap-2 font-semibold">
        <TriangleAlert size={14} aria-hidden />
        {texts.editor.warnings}
      </h3>
      <ProblemLines
        problems={checks.warnings.map((warning) => ({ ...warning, code: "warning" }))}
        where={(problem) => placeWords(problem.path, document.steps)}
        onPick={(problem) => onPick(partOf(problem))}
      />
    </section>
  );
}
