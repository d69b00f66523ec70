import { describe, expect, it } from "vitest";
import { type Box, type Link, layOut } from "./layout";

const box = (id: string): Box => ({ id, width: 200, height: 50 });
const linked = (text: string): Link[] =>
  text
    .split(" ")
    .map((pair) => pair.split(">"))
    .map(([from = "", to = ""]) => ({ from, to }));
const of = (ids: string, links: string) => layOut(ids.split("").map(box), links ? linked(links) : []);

/** Boxes of one row that come nearer to each other than they are wide. */
function overlaps(ids: string, layout: ReturnType<typeof of>): string[] {
  const all = ids.split("").map((id) => ({ id, ...(layout.places.get(id) as { x: number; y: number }) }));
  return all.flatMap((one) =>
    all
      .filter((two) => one.id < two.id && one.y === two.y && Math.abs(one.x - two.x) < 200)
      .map((two) => one.id + two.id),
  );
}

describe("a picture of a graph", () => {
  it("puts each box below all that lead to it, and what meets again in the middle", () => {
    const layout = of("abcd", "a>b a>c b>d c>d");
    const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => layout.places.get(id));
    expect([b?.y === c?.y, (a?.y ?? 0) < (b?.y ?? 0), (c?.y ?? 0) < (d?.y ?? 0)]).toEqual([true, true, true]);
    expect(a?.x).toBeCloseTo(((b?.x ?? 0) + (c?.x ?? 0)) / 2);
    expect(d?.x).toBeCloseTo(a?.x ?? 0);
    expect(overlaps("abcd", layout)).toEqual([]);
  });

  it("leads a long link around the boxes that it passes", () => {
    const layout = of("abc", "a>b b>c a>c");
    const [, , route] = layout.routes;
    expect(route?.points).toHaveLength(3);
    expect(Math.abs((route?.points[1]?.x ?? 0) - (layout.places.get("b")?.x ?? 0))).toBeGreaterThan(100);
  });

  it("leads a circle back up, whatever else is in it", () => {
    const layout = of("abcd", "a>b b>c c>b c>d");
    expect(layout.routes.map((route) => route.isBack)).toEqual([false, false, true, false]);
    const heights = ["a", "b", "c", "d"].map((id) => layout.places.get(id)?.y ?? 0);
    expect(heights).toEqual([...heights].sort((one, other) => one - other));
    expect(of("a", "a>a").routes[0]?.isBack).toBe(true);
  });

  it("stands what is linked with nothing, or with what is not there", () => {
    expect(of("ab", "").places.size).toBe(2);
    expect(of("ab", "a>z").routes).toEqual([{ points: [], isBack: false }]);
    expect(layOut([], [])).toEqual({ places: new Map(), routes: [], width: 0, height: 0 });
  });

  it("never lets boxes overlap, and draws large documents", () => {
    const ids = "abcdefghijklmnop";
    const wide = of(
      ids,
      ids
        .slice(1)
        .split("")
        .map((id, at) => `${ids[Math.floor(at / 3)]}>${id}`)
        .join(" "),
    );
    expect(overlaps(ids, wide)).toEqual([]);
    const boxes = Array.from({ length: 1_000 }, (_, at) => box(`s${at}`));
    const chain = boxes.slice(1).flatMap((one, at) => [
      { from: `s${at}`, to: one.id },
      { from: `s${at}`, to: "s999" },
    ]);
    expect(layOut(boxes, chain).places.size).toBe(1_000);
  });
});
