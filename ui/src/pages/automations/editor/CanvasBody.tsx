import { ArrowUp, CircleSlash, Gauge, SlidersHorizontal, TriangleAlert } from "lucide-react";
import { useRef } from "react";
import { Canvas } from "@/canvas/Canvas";
import { stepNode } from "@/canvas/graph";
import { Button } from "@/parts/Button";
import { useLanding } from "@/parts/useLanding";
import { texts } from "@/texts";
import { type BodyProps, backToOutline, SelectedForm } from "./EditorBody";
import { Inspector } from "./Inspector";
import { partOf, type Selection } from "./selection";

/** The picture of the automation, and the form of what is selected in it: the same document and selection as the outline's. */
export function CanvasBody(given: Omit<BodyProps, "onPick">) {
  const form = useRef<HTMLDivElement>(null);
  const goToForm = useLanding<Selection>(() => {
    form.current?.querySelector<HTMLElement>("h3")?.focus({ preventScroll: true });
    form.current?.scrollIntoView({ block: "start" });
  });
  const onPick = (selection: Selection) => {
    given.onSelect(selection);
    goToForm(selection);
  };
  const props: BodyProps = { ...given, onPick };
  const { document, selection, onEdit, checks } = props;
  const selected =
    selection.part === "step"
      ? stepNode(selection.at)
      : selection.part === "trigger" || selection.part === "condition"
        ? selection.part
        : null;
  return (
    <div className="grid min-h-0 flex-1 grid-cols-1 overflow-y-auto lg:grid-cols-[minmax(0,1fr)_460px] lg:overflow-hidden">
      <div data-outline className="flex min-h-0 flex-col bg-ground max-lg:h-[60dvh]">
        <Rest {...props} />
        <Canvas
          document={document}
          actions={props.actions}
          operators={props.operators}
          problems={checks.problems}
          dryRun={checks.dryRun?.steps ?? []}
          selected={selected}
          onPick={(node) => onPick(selectionOf(node))}
          onChange={(steps) => onEdit({ ...document, steps })}
          onRemove={(steps) => {
            onEdit({ ...document, steps });
            given.onSelect({ part: "condition" });
          }}
          onAdded={({ steps, at }) => {
            onEdit({ ...document, steps });
            onPick({ part: "step", at });
          }}
        />
      </div>
      <div ref={form} data-form className="min-w-0 border-line p-5 lg:overflow-y-auto lg:border-l">
        <Button
          size="sm"
          look="quiet"
          className="mb-2 -ml-2 lg:hidden"
          icon={<ArrowUp size={13} />}
          onClick={(event) => backToOutline(event.currentTarget)}
        >
          {texts.editor.canvas}
        </Button>
        <SelectedForm {...props} />
        <div className="mt-6 border-t border-line pt-5">
          <Inspector {...props} />
        </div>
      </div>
    </div>
  );
}

function selectionOf(node: string): Selection {
  const at = /^step:(\d+)$/.exec(node)?.[1];
  if (at !== undefined) return { part: "step", at: Number(at) };
  return { part: node === "trigger" ? "trigger" : "condition" };
}

/** What an automation says beside its steps. */
function Rest({ selection, onPick, checks }: BodyProps) {
  const [first] = checks.all;
  const parts = [
    { part: "flow", title: texts.flow.title, icon: <Gauge size={13} /> },
    { part: "ending", title: texts.ending.title, icon: <CircleSlash size={13} /> },
    { part: "settings", title: texts.editor.settings, icon: <SlidersHorizontal size={13} /> },
  ] as const;
  return (
    <nav aria-label={texts.canvas.more} className="flex flex-wrap items-center gap-1.5 border-b border-line p-3">
      {parts.map(({ part, title, icon }) => (
        <Button
          key={part}
          size="sm"
          icon={icon}
          aria-current={selection.part === part ? "step" : undefined}
          onClick={() => onPick({ part })}
        >
          {title}
        </Button>
      ))}
      <span className="ml-auto">
        {first ? (
          <Button
            size="sm"
            look={checks.problems.length ? "danger" : "quiet"}
            icon={<TriangleAlert size={13} />}
            title={first.message}
            onClick={() => onPick(partOf(first))}
          >
            {texts.editor.problems(checks.all.length)}
          </Button>
        ) : (
          <span role="status" className="px-1 text-sm text-soft">
            {checks.checking ? texts.editor.checking : texts.editor.noProblems}
          </span>
        )}
      </span>
    </nav>
  );
}
