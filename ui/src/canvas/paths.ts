import type { Edge, Node } from "./graph";
import type { Layout, Point } from "./layout";

export type Drawn = { path: string; label: Point; middle: Point; start: Point; isBack: boolean };

const MARGIN = 26;

/** The line of each link, from the bottom of its first box to the top of the other; one that leads back goes around on the right. */
export function linesOf(nodes: Node[], edges: Edge[], layout: Layout): (Drawn | null)[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const slots = slotsOf(edges, layout);
  let backs = 0;
  return edges.map((edge, at) => {
    const [from, to, route] = [byId.get(edge.from), byId.get(edge.to), layout.routes[at]];
    const [begin, end] = [layout.places.get(edge.from), layout.places.get(edge.to)];
    if (!from || !to || !route || !begin || !end) return null;
    if (route.isBack) {
      backs += 1;
      return aroundRight(begin, from, end, to, layout.width + MARGIN * backs);
    }
    const start = {
      x: begin.x - from.width / 2 + from.width * (slots[at] ?? 0.5),
      y: begin.y + from.height / 2,
    };
    const points = [start, ...route.points.slice(1, -1), { x: end.x, y: end.y - to.height / 2 - 5 }];
    const [first, second] = points as [Point, Point];
    return {
      path: points
        .map((point, place) => (place ? curve(points[place - 1] as Point, point) : `M${point.x} ${point.y}`))
        .join(""),
      start,
      label: onCurve(first, second, 0.36),
      middle: onCurve(first, second, 0.74),
      isBack: false,
    };
  });
}

/** Where on the bottom of its box each link begins, as a share of the width: in the order in which they go on, so that none cross. */
function slotsOf(edges: Edge[], layout: Layout): number[] {
  const slots = edges.map(() => 0.5);
  const byBox = new Map<string, number[]>();
  edges.forEach((edge, at) => {
    if (!layout.routes[at]?.isBack) byBox.set(edge.from, [...(byBox.get(edge.from) ?? []), at]);
  });
  const next = (at: number) => layout.routes[at]?.points[1]?.x ?? 0;
  for (const listed of byBox.values()) {
    const sorted = listed.toSorted((one, other) => next(one) - next(other));
    sorted.forEach((at, place) => {
      slots[at] = (place + 1) / (sorted.length + 1);
    });
  }
  return slots;
}

/** How much room ways back take on the right. */
export function roomForBacks(layout: Layout): number {
  return layout.routes.filter((route) => route.isBack).length * MARGIN + MARGIN;
}

function curve(from: Point, to: Point): string {
  const half = (from.y + to.y) / 2;
  return `C${from.x} ${half} ${to.x} ${half} ${to.x} ${to.y}`;
}

function onCurve(from: Point, to: Point, t: number): Point {
  const half = (from.y + to.y) / 2;
  const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3] as const;
  return { x: (a + b) * from.x + (c + d) * to.x, y: a * from.y + (b + c) * half + d * to.y };
}

const ROUND = 10;

function aroundRight(begin: Point, from: Node, end: Point, to: Node, right: number): Drawn {
  const start = { x: begin.x + from.width / 2, y: begin.y + 8 };
  const last = { x: end.x + to.width / 2 + 5, y: end.y - 8 };
  const path = [
    `M${start.x} ${start.y}H${right - ROUND}Q${right} ${start.y} ${right} ${start.y - ROUND}`,
    `V${last.y + ROUND}Q${right} ${last.y} ${right - ROUND} ${last.y}H${last.x}`,
  ].join("");
  const middle = { x: right, y: (start.y + last.y) / 2 };
  return { path, start, label: { x: (start.x + right) / 2, y: start.y + 12 }, middle, isBack: true };
}
