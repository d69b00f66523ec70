import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp, Copy, CornerDownRight, Ellipsis, Merge, Trash2 } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { automationNamesQuery } from "@/api/automations";
import type { ActionItem, AutomationDocument, DryRunStep, Operator, Problem, StepDocument } from "@/api/types";
import { IconButton } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { Menu } from "@/parts/Menu";
import { useLanding } from "@/parts/useLanding";
import { texts } from "@/texts";
import { AddStep } from "./AddStep";
import { type Added, addBelow, append, canAddBelow, duplicate } from "./editing";
import { isInBranch, opened, type Place, placesOf, waysOf } from "./lanes";
import { kindOf, moveStep, newStep, removeStep, summary } from "./model";
import { StepIcon } from "./StepIcon";

type Props = {
  document: AutomationDocument;
  actions: ActionItem[];
  operators: Operator[];
  problems: Problem[];
  dryRun: DryRunStep[];
  selected: number | null;
  /** Somebody picked a step, and means to go on in its form. */
  onSelect: (at: number | null) => void;
  onChange: (steps: StepDocument[], selected: number | null) => void;
};

/** The steps as a list: what each does, in order, with the ways a branch can take. Alt+arrow moves, Delete removes. */
export function Outline({ document, actions, operators, problems, dryRun, selected, onSelect, onChange }: Props) {
  const steps = document.steps;
  const list = useRef<HTMLDivElement>(null);
  // A step that moved takes the focus along, and one that went leaves it to the step now in its place.
  const landAt = useLanding<number>((at) => {
    const rows = list.current?.querySelectorAll<HTMLElement>("[data-step]");
    (rows?.[at] ?? list.current?.querySelector<HTMLElement>(":scope > button"))?.focus();
  });
  const places = useMemo(() => placesOf(steps, document.on_failure), [steps, document.on_failure]);
  const added = (one: Added) => {
    onChange(one.steps, one.at);
    onSelect(one.at);
  };
  const move = (at: number, by: -1 | 1) => {
    const to = Math.min(Math.max(at + by, 0), steps.length - 1);
    onChange(moveStep(steps, at, by), to);
    landAt(to);
  };
  const remove = (at: number) => {
    onChange(removeStep(steps, at), null);
    landAt(Math.min(at, steps.length - 2));
  };
  const duplicateAt = (at: number) => {
    added(duplicate(steps, at));
  };
  return (
    <div ref={list}>
      <ol aria-label={texts.steps.title} className="relative flex flex-col">
        {steps.map((step, at) => (
          <li key={step.id} style={{ paddingLeft: indent(places, at) }}>
            <LaneHeads places={places} at={at} />
            <StepRow
              step={step}
              at={at}
              steps={steps}
              place={places[at]}
              action={actions.find((one) => one.name === step.action)}
              operators={operators}
              hasProblem={problems.some((problem) => problem.path.startsWith(`steps[${at}]`))}
              would={dryRun.find((one) => one.id === step.id)?.would}
              selected={selected === at}
              onSelect={() => onSelect(at)}
              onMove={(by) => move(at, by)}
              onRemove={() => remove(at)}
              onDuplicate={() => duplicateAt(at)}
            />
            <Joint>
              {at < steps.length - 1 && canAddBelow(steps, at) && (
                <AddStep
                  look="joint"
                  actions={actions}
                  label={`${texts.steps.addBelow}: ${step.id}`}
                  onAdd={(kind, action) => added(addBelow(steps, at, newStep(steps, kind, action)))}
                />
              )}
            </Joint>
          </li>
        ))}
      </ol>
      {steps.length === 0 && <p className="mb-2.5 px-1 text-sm text-faint">{texts.steps.empty}</p>}
      <AddStep
        actions={actions}
        label={texts.steps.add}
        onAdd={(kind, action) => added(append(steps, newStep(steps, kind, action), document.on_failure))}
      />
    </div>
  );
}

function Joint({ children }: { children?: React.ReactNode }) {
  return (
    <div className="group/joint relative ml-[22px] h-3.5 border-l border-line-strong">
      <div className="absolute top-1/2 left-0 z-10 -translate-x-1/2 -translate-y-1/2 opacity-0 transition-opacity group-hover/joint:opacity-100 focus-within:opacity-100">
        {children}
      </div>
    </div>
  );
}

type RowProps = {
  step: StepDocument;
  at: number;
  steps: StepDocument[];
  place: Place | undefined;
  action?: ActionItem;
  operators: Operator[];
  hasProblem: boolean;
  would?: string;
  selected: boolean;
  onSelect: () => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
  onDuplicate: () => void;
};

function StepRow(props: RowProps) {
  const { step, at, steps, action, selected, hasProblem } = props;
  const kind = kindOf(step);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      props.onMove(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Delete") props.onRemove();
  };
  return (
    <div
      className={cx(
        "group relative flex items-start gap-1 rounded-lg border transition-colors",
        props.would === "skip" ? "border-dashed" : "bg-surface shadow-card",
        selected
          ? "border-accent ring-1 ring-accent"
          : hasProblem
            ? "border-bad/60"
            : "border-line hover:border-line-strong",
      )}
    >
      <button
        type="button"
        data-step
        aria-current={selected ? "step" : undefined}
        onClick={props.onSelect}
        onKeyDown={onKeyDown}
        className="flex min-w-0 flex-1 items-start gap-2.5 rounded-lg p-2 text-left"
      >
        <StepIcon kind={kind} action={step.action} icon={action?.icon} />
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">
            {kind === "action" ? (action?.title ?? step.action ?? "") : texts.steps.kind[kind]}{" "}
            {step.call !== undefined && <CalledName id={String(step.call ?? "")} />}
            <span className="ml-1 font-normal text-faint">{step.id}</span>
          </span>
          <span className="block truncate text-xs text-soft">{summary(step, props.operators)}</span>
          <Ways at={at} steps={steps} place={props.place} />
        </span>
      </button>
      <div className="pt-1 pr-1">
        <Menu
          label={texts.steps.menu(step.id)}
          trigger={<IconButton size="sm" label={texts.steps.menu(step.id)} icon={<Ellipsis size={14} />} />}
          entries={[
            {
              label: texts.actions.moveUp,
              hint: "Alt ↑",
              icon: <ChevronUp size={14} />,
              disabled: at === 0,
              onSelect: () => props.onMove(-1),
            },
            {
              label: texts.actions.moveDown,
              hint: "Alt ↓",
              icon: <ChevronDown size={14} />,
              disabled: at === steps.length - 1,
              onSelect: () => props.onMove(1),
            },
            { label: texts.actions.duplicate, icon: <Copy size={14} />, onSelect: props.onDuplicate },
            "line",
            {
              label: texts.actions.remove,
              hint: "Del",
              icon: <Trash2 size={14} />,
              danger: true,
              onSelect: props.onRemove,
            },
          ]}
        />
      </div>
    </div>
  );
}

/** The name of the automation that is called. */
export function CalledName({ id }: { id: string }) {
  const name = useQuery(automationNamesQuery).data?.items.find((one) => one.id === id)?.name;
  return <>{name ? `“${name}”` : ""}</>;
}

/** Where a step leads, when that is not simply the step below it. */
function Ways({ at, steps, place }: { at: number; steps: StepDocument[]; place: Place | undefined }) {
  const shown = waysOf(steps, at).filter(({ field, to }) => {
    if (field.startsWith("parallel")) return false;
    const isPlain = to === (steps[at + 1]?.id ?? null);
    return field !== "next" || !isPlain || steps[at]?.parallel !== undefined;
  });
  if (shown.length === 0) return null;
  const end = isInBranch(place) ? texts.steps.endBranch : texts.steps.end;
  return (
    <span className="mt-1 flex flex-col gap-0.5 text-xs text-faint">
      {shown.map(({ field, words, to, tone }) => (
        <span key={field} className="truncate">
          {(field !== "next" || steps[at]?.parallel) && (
            <span className={tone === "good" ? "text-good" : tone === "bad" ? "text-bad" : ""}>
              {field === "next" ? joinWords(steps[at]) : words}{" "}
            </span>
          )}
          {isBack(steps, at, to) ? texts.steps.back : "→"} {to ?? end}
        </span>
      ))}
    </span>
  );
}

/** Whether a way leads to a step that stands above: the run goes round there. */
function isBack(steps: StepDocument[], at: number, to: string | null): boolean {
  return to !== null && steps.slice(0, at + 1).some((step) => step.id === to);
}

function joinWords(step: StepDocument | undefined): string {
  const { all, any, some } = texts.steps.forkNext;
  return typeof step?.join === "number" ? some(step.join) : step?.join === "any" ? any : all;
}

const DEPTH_MAX = 5;

function indent(places: Place[], at: number): number {
  return Math.min(places[at]?.lanes.length ?? 0, DEPTH_MAX) * 16;
}

/** What begins above a step: the lanes it is the first of; or that the branches of a parallel step join at it. */
function LaneHeads({ places, at }: { places: Place[]; at: number }) {
  const begun = opened(places, at);
  const joins = places[at]?.joins;
  return (
    <>
      {joins && (
        <p className="mb-1 flex items-center gap-1 text-xs text-faint">
          <Merge size={12} aria-hidden className="rotate-180" />
          {texts.steps.joinsHere(joins)}
        </p>
      )}
      {begun.map((lane) => (
        <p
          key={`${lane.of}.${lane.way.field}`}
          className={cx(
            "mb-1 flex items-center gap-1 text-xs font-medium",
            lane.way.tone === "good" ? "text-good" : lane.way.tone === "bad" ? "text-bad" : "text-soft",
          )}
        >
          <CornerDownRight size={12} aria-hidden className="shrink-0" />
          <span className="truncate">
            {lane.way.words}
            {lane.of && <span className="font-normal text-faint"> {texts.steps.ofStep(lane.of)}</span>}
          </span>
        </p>
      ))}
    </>
  );
}
