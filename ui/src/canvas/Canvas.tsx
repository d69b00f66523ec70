import { Maximize, Minus, Plus } from "lucide-react";
import { type PointerEvent, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import type { ActionItem, AutomationDocument, DryRunStep, Operator, Problem, StepDocument } from "@/api/types";
import { AddStep } from "@/outline/AddStep";
import { type Added, addBelow, addFirst, addOnWay, append, canAddBelow, withWay } from "@/outline/editing";
import { newStep, removeStep, replaceStep, type StepKind } from "@/outline/model";
import { Button, IconButton } from "@/parts/Button";
import { useLanding } from "@/parts/useLanding";
import { texts } from "@/texts";
import { CanvasNode } from "./CanvasNode";
import { type Edge, edgeWords, graphOf, stepNode } from "./graph";
import { Lines, type Pull } from "./Lines";
import { layOut, type Point } from "./layout";
import { linesOf, roomForBacks } from "./paths";

type Props = {
  document: AutomationDocument;
  actions: ActionItem[];
  operators: Operator[];
  problems: Problem[];
  dryRun: DryRunStep[];
  /** The box that is selected. */
  selected: string | null;
  onPick: (node: string) => void;
  onChange: (steps: StepDocument[]) => void;
  onRemove: (steps: StepDocument[]) => void;
  /** A step was added: go on in its form. */
  onAdded: (added: Added) => void;
};

const ROOM = 28;
const ZOOMS = [0.4, 0.55, 0.7, 0.85, 1, 1.2];

/**
 * The automation as a picture: boxes that are picked and changed like the rows of the outline, and links that can be drawn
 * to another box. Places are found, never kept. Arrow keys go along the links.
 */
export function Canvas(props: Props) {
  const { document, actions, onPick, onChange, onRemove, onAdded } = props;
  const { steps } = document;
  const frame = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const graph = useMemo(() => graphOf(document), [document]);
  const layout = useMemo(() => layOut(graph.nodes, graph.edges), [graph]);
  const lines = useMemo(() => linesOf(graph.nodes, graph.edges, layout), [graph, layout]);
  const pull = usePull(inner, zoom, (edge, target) => {
    const step = edge.at === null ? undefined : steps[edge.at];
    if (step && edge.at !== null && edge.way)
      onChange(replaceStep(steps, edge.at, withWay(step, edge.way.field, steps[target]?.id)));
  });
  const add = (edge: Edge) => (kind: StepKind, action?: ActionItem) => {
    const made = newStep(steps, kind, action);
    if (edge.at === null || !edge.way) onAdded(addFirst(steps, made));
    else if (edge.way.field === "next" && canAddBelow(steps, edge.at)) onAdded(addBelow(steps, edge.at, made));
    else onAdded(addOnWay(steps, edge.at, edge.way.field, made));
  };
  const width = layout.width + roomForBacks(layout) + 2 * ROOM;
  const height = layout.height + 2 * ROOM + (steps.length ? 0 : 60);
  const fit = () => {
    const room = frame.current?.clientWidth ?? 0;
    setZoom(ZOOMS.findLast((one) => one <= Math.min(1, room / width)) ?? (ZOOMS[0] as number));
  };
  const fitAtFirst = useEffectEvent(fit);
  useEffect(() => {
    fitAtFirst();
  }, []);
  const focus = (node: string) =>
    inner.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(node)}"] button`)?.focus();
  const landOn = useLanding<string>(focus);
  // What led to a step that went has the focus then.
  const remove = (at: number) => {
    const above = neighbour(stepNode(at), "ArrowUp", graph.edges, layout.places) ?? "condition";
    const place = /^step:(\d+)$/.exec(above)?.[1];
    onRemove(removeStep(steps, at));
    landOn(place !== undefined && Number(place) > at ? stepNode(Number(place) - 1) : above);
  };
  const go = (from: string, key: string) => {
    const to = neighbour(from, key, graph.edges, layout.places);
    if (to) focus(to);
  };
  return (
    <section aria-label={texts.canvas.title} className="relative flex min-h-0 flex-1 flex-col">
      <Zoom zoom={zoom} onZoom={setZoom} onFit={fit} />
      <div ref={frame} className="min-h-0 flex-1 overflow-auto">
        <div className="relative mx-auto" style={{ width: width * zoom, height: height * zoom }}>
          <div
            ref={inner}
            className="absolute top-0 left-0 origin-top-left"
            style={{ width, height, transform: `scale(${zoom})` }}
          >
            <div className="absolute" style={{ left: ROOM, top: ROOM }}>
              <Lines edges={graph.edges} lines={lines} width={width} height={height} pull={pull.pull} />
              {graph.nodes.map((node) => (
                <CanvasNode
                  key={node.id}
                  node={node}
                  place={layout.places.get(node.id)}
                  {...props}
                  selected={props.selected === node.id}
                  onPick={() => onPick(node.id)}
                  onGo={(key) => go(node.id, key)}
                  onRemove={remove}
                />
              ))}
              {graph.edges.map((edge, at) => {
                const line = lines[at];
                if (!line) return null;
                return (
                  <EdgeMarks
                    key={`${edge.from} ${edge.way?.field ?? ""}`}
                    edge={edge}
                    words={edgeWords(edge, document)}
                    line={line}
                    actions={actions}
                    onAdd={add(edge)}
                    onPull={(event) => pull.begin(edge, line.start, event)}
                    of={edge.at === null ? texts.editor.condition : (steps[edge.at]?.id ?? "")}
                  />
                );
              })}
              {steps.length === 0 && (
                <div className="absolute top-40 left-0 w-[236px]">
                  <AddStep
                    actions={actions}
                    label={texts.steps.add}
                    onAdd={(kind, action) => onAdded(append(steps, newStep(steps, kind, action)))}
                  />
                </div>
              )}
            </div>
          </div>
        </div>
      </div>
    </section>
  );
}

function Zoom({ zoom, onZoom, onFit }: { zoom: number; onZoom: (zoom: number) => void; onFit: () => void }) {
  const at = ZOOMS.indexOf(zoom);
  const step = (by: -1 | 1) => onZoom(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + by))] ?? 1);
  return (
    <div className="absolute right-4 bottom-4 z-20 flex items-center rounded-md border border-line bg-raised shadow-card">
      <IconButton
        label={texts.canvas.smaller}
        icon={<Minus size={14} />}
        disabled={at === 0}
        onClick={() => step(-1)}
      />
      <Button size="sm" look="quiet" className="w-14" title={texts.canvas.whole} onClick={() => onZoom(1)}>
        {Math.round(zoom * 100)} %
      </Button>
      <IconButton
        label={texts.canvas.larger}
        icon={<Plus size={14} />}
        disabled={at === ZOOMS.length - 1}
        onClick={() => step(1)}
      />
      <IconButton label={texts.canvas.fit} icon={<Maximize size={14} />} onClick={onFit} />
    </div>
  );
}

type MarkProps = {
  edge: Edge;
  words: string;
  line: { label: Point; middle: Point; start: Point };
  actions: ActionItem[];
  /** What the link leads from, in words. */
  of: string;
  onAdd: (kind: StepKind, action?: ActionItem) => void;
  onPull: (event: PointerEvent) => void;
};

/** What stands at a link: its words, the button that puts a step into it, and the knob it is drawn elsewhere by. */
function EdgeMarks({ edge, words, line, actions, of, onAdd, onPull }: MarkProps) {
  const tone = edge.way?.tone === "good" ? "text-good" : edge.way?.tone === "bad" ? "text-bad" : "text-soft";
  if (edge.from === "trigger" || edge.from === "failure") return null;
  return (
    <>
      {words && (
        <span
          className={`pointer-events-none absolute max-w-36 -translate-x-1/2 -translate-y-1/2 truncate rounded bg-ground px-1 text-xs ${tone}`}
          style={{ left: line.label.x, top: line.label.y }}
        >
          {words}
        </span>
      )}
      <div
        className="absolute z-10 -translate-x-1/2 -translate-y-1/2 opacity-40 transition-opacity focus-within:opacity-100 hover:opacity-100"
        style={{ left: line.middle.x, top: line.middle.y }}
      >
        <AddStep
          look="joint"
          actions={actions}
          label={texts.canvas.addOn([of, words].filter(Boolean).join(" "))}
          onAdd={onAdd}
        />
      </div>
      {edge.way && (
        <span
          aria-hidden
          title={texts.canvas.pull}
          data-way={`${of} ${edge.way.field}`}
          onPointerDown={onPull}
          className="absolute z-10 size-3 -translate-x-1/2 -translate-y-1/2 cursor-crosshair touch-none rounded-full border-2 border-line-strong bg-raised hover:scale-125 hover:border-accent"
          style={{ left: line.start.x, top: line.start.y }}
        />
      )}
    </>
  );
}

/** Draws a link to another box: from the knob it begins at to wherever the pointer is let go. */
function usePull(
  inner: { current: HTMLDivElement | null },
  zoom: number,
  onLink: (edge: Edge, target: number) => void,
): { pull: Pull | null; begin: (edge: Edge, start: Point, event: PointerEvent) => void } {
  const [pull, setPull] = useState<Pull | null>(null);
  const begin = (edge: Edge, start: Point, event: PointerEvent) => {
    event.preventDefault();
    const pointOf = (at: { clientX: number; clientY: number }): Point => {
      const box = inner.current?.getBoundingClientRect();
      return { x: (at.clientX - (box?.left ?? 0)) / zoom - ROOM, y: (at.clientY - (box?.top ?? 0)) / zoom - ROOM };
    };
    const stop = new AbortController();
    const end = () => {
      stop.abort();
      setPull(null);
    };
    const over = { signal: stop.signal };
    window.addEventListener("pointermove", (at) => setPull({ start, end: pointOf(at) }), over);
    window.addEventListener("pointercancel", end, over);
    window.addEventListener(
      "keydown",
      (key) => {
        if (key.key !== "Escape") return;
        key.stopPropagation();
        end();
      },
      { ...over, capture: true },
    );
    window.addEventListener(
      "pointerup",
      (at) => {
        end();
        const node = document.elementFromPoint(at.clientX, at.clientY)?.closest<HTMLElement>("[data-node]");
        const target = /^step:(\d+)$/.exec(node?.dataset.node ?? "")?.[1];
        if (target !== undefined) onLink(edge, Number(target));
      },
      over,
    );
  };
  return { pull, begin };
}

/** The box that an arrow key leads to: down and up along the links, left and right in the row. */
function neighbour(from: string, key: string, edges: Edge[], places: Map<string, Point>): string | undefined {
  const isReal = (id: string) => !id.startsWith("end:");
  if (key === "ArrowDown") return edges.find((edge) => edge.from === from && isReal(edge.to))?.to;
  if (key === "ArrowUp") return edges.find((edge) => edge.to === from)?.from;
  const here = places.get(from);
  if (!here) return undefined;
  const side = key === "ArrowLeft" ? -1 : 1;
  const beside = [...places].filter(([id, at]) => isReal(id) && at.y === here.y && (at.x - here.x) * side > 0);
  return beside.sort(([, one], [, other]) => (one.x - other.x) * side)[0]?.[0];
}
