import { Filter, TriangleAlert, Zap } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";
import type { ActionItem, AutomationDocument, DryRunStep, Operator, Problem } from "@/api/types";
import { inWords } from "@/condition-builder/words";
import { kindOf, summary } from "@/outline/model";
import { CalledName } from "@/outline/Outline";
import { StepIcon } from "@/outline/StepIcon";
import { triggerWords } from "@/pages/automations/trigger";
import { cx } from "@/parts/classes";
import { texts } from "@/texts";
import type { Node } from "./graph";
import type { Point } from "./layout";

type Props = {
  node: Node;
  place: Point | undefined;
  document: AutomationDocument;
  actions: ActionItem[];
  operators: Operator[];
  problems: Problem[];
  dryRun: DryRunStep[];
  selected: boolean;
  onPick: () => void;
  onGo: (key: string) => void;
  onRemove: (at: number) => void;
};

const ARROWS = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"];

/** One box at its place. */
export function CanvasNode(props: Props) {
  const { node, place } = props;
  if (!place) return null;
  const style = {
    left: place.x - node.width / 2,
    top: place.y - node.height / 2,
    width: node.width,
    height: node.height,
  };
  return (
    <div data-node={node.id} className="absolute" style={style}>
      <Inside {...props} />
    </div>
  );
}

function Inside(props: Props) {
  const { node, document, operators, problems } = props;
  const isTimed = Boolean(document.trigger.schedule || document.trigger.manual);
  switch (node.kind) {
    case "end":
      return (
        <span
          title={texts.steps.end}
          className="grid size-full place-items-center rounded-full border-2 border-line-strong bg-raised"
        >
          <span className="size-1.5 rounded-full bg-line-strong" />
        </span>
      );
    case "failure":
      return (
        <p className="grid size-full place-items-center rounded-full bg-bad-wash text-xs font-medium text-bad">
          {texts.steps.ways.runFails}
        </p>
      );
    case "trigger":
      return (
        <Card
          {...props}
          icon={<Zap size={14} aria-hidden className="shrink-0 text-soft" />}
          title={triggerWords(document.trigger) || texts.editor.anyEvent}
          bad={problems.some((problem) => problem.path.startsWith("trigger"))}
        />
      );
    case "condition":
      return (
        <Card
          {...props}
          icon={<Filter size={14} aria-hidden className="shrink-0 text-soft" />}
          title={inWords(document.condition, operators) || (isTimed ? texts.editor.everyTime : texts.editor.always)}
          bad={problems.some((problem) => problem.path.startsWith("condition"))}
        />
      );
    case "step":
      return <StepCard {...props} at={node.at} />;
  }
}

type CardProps = Props & {
  icon: ReactNode;
  title: ReactNode;
  detail?: ReactNode;
  bad: boolean;
  dim?: boolean;
  at?: number;
};

function Card({ icon, title, detail, bad, dim, at, selected, onPick, onGo, onRemove }: CardProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (ARROWS.includes(event.key)) {
      event.preventDefault();
      onGo(event.key);
    } else if (event.key === "Delete" && at !== undefined) onRemove(at);
  };
  return (
    <button
      type="button"
      aria-current={selected ? "step" : undefined}
      onClick={onPick}
      onKeyDown={onKeyDown}
      className={cx(
        "flex size-full items-center gap-2.5 rounded-lg border px-2 text-left",
        dim ? "border-dashed bg-ground" : "bg-surface shadow-card",
        selected ? "border-accent ring-1 ring-accent" : bad ? "border-bad/60" : "border-line hover:border-line-strong",
      )}
    >
      {icon}
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{title}</span>
        {detail && <span className="block truncate text-xs text-soft">{detail}</span>}
      </span>
      {bad && <TriangleAlert size={14} aria-label={texts.canvas.bad} className="shrink-0 text-bad" />}
    </button>
  );
}

function StepCard(props: Props & { at: number }) {
  const { at, document, actions, operators, problems, dryRun } = props;
  const step = document.steps[at];
  if (!step) return null;
  const kind = kindOf(step);
  const action = actions.find((one) => one.name === step.action);
  return (
    <Card
      {...props}
      icon={<StepIcon kind={kind} action={step.action} icon={action?.icon} />}
      title={
        <>
          {kind === "action" ? (action?.title ?? step.action ?? "") : texts.steps.kind[kind]}{" "}
          {step.call !== undefined && <CalledName id={String(step.call ?? "")} />}
          <span className="ml-1 font-normal text-faint">{step.id}</span>
        </>
      }
      detail={summary(step, operators)}
      bad={problems.some((problem) => problem.path.startsWith(`steps[${at}]`))}
      dim={dryRun.find((one) => one.id === step.id)?.would === "skip"}
      at={at}
    />
  );
}
