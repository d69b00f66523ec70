import type { Edge } from "./graph";
import type { Point } from "./layout";
import type { Drawn } from "./paths";

/** A link that is being drawn: from where it begins to where the pointer is. */
export type Pull = { start: Point; end: Point };

type Props = { edges: Edge[]; lines: (Drawn | null)[]; width: number; height: number; pull: Pull | null };

const tones = { good: "stroke-good", bad: "stroke-bad", plain: "stroke-faint" };

/** The lines between the boxes. What they mean is told at the boxes too, so a screen reader passes them over. */
export function Lines({ edges, lines, width, height, pull }: Props) {
  return (
    <svg
      aria-hidden="true"
      width={width}
      height={height}
      className="pointer-events-none absolute top-0 left-0 overflow-visible"
    >
      <title>{""}</title>
      <defs>
        {(Object.keys(tones) as (keyof typeof tones)[]).map((tone) => (
          <marker
            key={tone}
            id={`arrow-${tone}`}
            viewBox="0 0 8 8"
            refX="4"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            markerUnits="userSpaceOnUse"
            orient="auto-start-reverse"
          >
            <path d="M1 1L5 4L1 7" className={`fill-none stroke-[1.5] ${tones[tone]}`} />
          </marker>
        ))}
      </defs>
      {lines.map((line, at) => {
        const edge = edges[at];
        if (!line || !edge) return null;
        const tone = edge.way?.tone ?? "plain";
        return (
          <path
            key={`${edge.from} ${edge.way?.field ?? ""}`}
            d={line.path}
            markerEnd={`url(#arrow-${tone})`}
            strokeDasharray={edge.isJoin ? "2 4" : line.isBack ? "6 4" : undefined}
            className={`fill-none stroke-[1.5] ${tones[tone]}`}
          />
        );
      })}
      {pull && (
        <path
          d={`M${pull.start.x} ${pull.start.y}L${pull.end.x} ${pull.end.y}`}
          strokeDasharray="4 3"
          className="fill-none stroke-accent stroke-2"
        />
      )}
    </svg>
  );
}
