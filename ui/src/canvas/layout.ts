export type Box = { id: string; width: number; height: number };
export type Link = { from: string; to: string };
export type Point = { x: number; y: number };
/** Where a link runs: through these points, from its first box down to the other; or back up, to a box it came from. */
export type Route = { points: Point[]; isBack: boolean };
export type Layout = { places: Map<string, Point>; routes: Route[]; width: number; height: number };

const GAP_X = 36;
const GAP_Y = 66;
const BEND_WIDTH = 26;
/** Beyond so many bends long links run straight, so that a picture of any document is drawn at once. */
const BENDS_MAX = 4_000;
const SWEEPS = 6;

/** A box, or a bend of a long link where it passes a row. */
type Spot = { id: string | null; width: number; height: number; row: number; x: number; up: Spot[]; down: Spot[] };

/**
 * Places boxes in rows, each below all that lead to it, so that no two overlap and few links cross. A link that leads back
 * to where it came from counts for no row. Places are those of the middles of the boxes.
 */
export function layOut(boxes: Box[], links: Link[]): Layout {
  const known = new Map(boxes.map((box, at) => [box.id, at]));
  const ends = links.map((link) => [known.get(link.from), known.get(link.to)] as const);
  const back = backward(boxes.length, ends);
  const forward = ends.map((pair, at) => !back[at] && pair[0] !== undefined && pair[1] !== undefined);
  const rows = rowsOf(boxes.length, ends, forward);
  const spots = boxes.map((box, at): Spot => ({ ...box, row: rows[at] ?? 0, x: 0, up: [], down: [] }));
  const bends = ends.map((pair, at) => (forward[at] ? [spots[pair[0] as number], spots[pair[1] as number]] : []));
  const long = bends.reduce((sum, pair) => sum + Math.max(0, spanOf(pair as Spot[]) - 1), 0);
  const chains = bends.map((pair) => chained(pair as Spot[], long <= BENDS_MAX));
  const grid = gridOf(spots, chains);
  order(grid);
  align(grid);
  return drawn(grid, spots, chains, ends, back);
}

const spanOf = ([from, to]: Spot[]) => (from && to ? to.row - from.row : 0);

/** Which links lead back to a box that stands on the way to them; found in the order of the boxes. */
function backward(count: number, ends: readonly (readonly [number | undefined, number | undefined])[]): boolean[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  ends.forEach(([from, to], at) => {
    if (from !== undefined && to !== undefined) out[from]?.push(at);
  });
  const back = ends.map(() => false);
  const state = new Uint8Array(count); // 0 not seen, 1 on the way, 2 done
  for (let root = 0; root < count; root += 1) {
    if (state[root]) continue;
    const open = [{ box: root, next: 0 }];
    state[root] = 1;
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const link = out[top.box]?.[top.next];
      top.next += 1;
      if (link === undefined) {
        state[top.box] = 2;
        open.pop();
        continue;
      }
      const to = ends[link]?.[1] as number;
      if (state[to] === 1) back[link] = true;
      else if (state[to] === 0) {
        state[to] = 1;
        open.push({ box: to, next: 0 });
      }
    }
  }
  return back;
}

/** The row of each box: below the lowest of those that lead to it. */
function rowsOf(
  count: number,
  ends: readonly (readonly [number | undefined, number | undefined])[],
  forward: boolean[],
): number[] {
  const rows = new Array<number>(count).fill(0);
  const left = new Array<number>(count).fill(0);
  const out: number[][] = Array.from({ length: count }, () => []);
  ends.forEach(([from, to], at) => {
    if (!forward[at]) return;
    out[from as number]?.push(to as number);
    left[to as number] = (left[to as number] ?? 0) + 1;
  });
  const ready = left.flatMap((number, at) => (number === 0 ? [at] : []));
  for (let box = ready.pop(); box !== undefined; box = ready.pop()) {
    for (const to of out[box] ?? []) {
      rows[to] = Math.max(rows[to] ?? 0, (rows[box] ?? 0) + 1);
      left[to] = (left[to] ?? 0) - 1;
      if (left[to] === 0) ready.push(to);
    }
  }
  return rows;
}

/** The spots a link passes, a bend in each row between its boxes. */
function chained([from, to]: Spot[], isBent: boolean): Spot[] {
  if (!from || !to) return [];
  const chain = [from];
  for (let row = from.row + 1; isBent && row < to.row; row += 1) {
    chain.push({ id: null, width: BEND_WIDTH, height: 0, row, x: 0, up: [], down: [] });
  }
  chain.push(to);
  chain.forEach((spot, at) => {
    const next = chain[at + 1];
    if (!next) return;
    spot.down.push(next);
    next.up.push(spot);
  });
  return chain;
}

/** The spots of each row, at first in the order in which links lead to them. */
function gridOf(spots: Spot[], chains: Spot[][]): Spot[][] {
  const count = spots.reduce((rows, spot) => Math.max(rows, spot.row + 1), 0);
  const grid: Spot[][] = Array.from({ length: count }, () => []);
  const seen = new Set<Spot>();
  const put = (spot: Spot) => {
    if (seen.has(spot)) return false;
    seen.add(spot);
    grid[spot.row]?.push(spot);
    return true;
  };
  for (const root of spots) {
    const open = [root];
    for (let spot = open.pop(); spot; spot = open.pop()) if (put(spot)) open.push(...spot.down.toReversed());
  }
  for (const chain of chains) for (const spot of chain) put(spot);
  return grid;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sorts the spots of each row by where what leads to them stands, then by where they lead, a few times. */
function order(grid: Spot[][]) {
  const number = (row: Spot[]) => {
    row.forEach((spot, at) => {
      spot.x = at;
    });
  };
  grid.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const row of isDown ? grid : grid.toReversed()) {
      const wish = new Map(row.map((spot) => [spot, middle(isDown ? spot.up : spot.down, spot.x)]));
      row.sort((one, other) => (wish.get(one) as number) - (wish.get(other) as number));
      number(row);
    }
  }
}

const middle = (spots: Spot[], otherwise: number) => (spots.length ? mean(spots.map((spot) => spot.x)) : otherwise);

/** Moves the spots of each row over what they are linked with, as far as none comes too near to the next. */
function align(grid: Spot[][]) {
  for (const row of grid) spread(row, (_, at) => at * 10);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isDown = sweep % 2 === 1;
    for (const row of isDown ? grid : grid.toReversed()) {
      spread(row, (spot) => middle(isDown ? spot.up : spot.down, middle(isDown ? spot.down : spot.up, spot.x)));
    }
  }
}

/** Puts the spots of a row as near to their wishes as their order and widths allow: the least sum of squares. */
function spread(row: Spot[], wish: (spot: Spot, at: number) => number) {
  const offsets: number[] = [];
  row.forEach((spot, at) => {
    const before = row[at - 1];
    offsets.push(before ? (offsets[at - 1] as number) + (before.width + spot.width) / 2 + GAP_X : 0);
  });
  const pools: { sum: number; count: number }[] = [];
  row.forEach((spot, at) => {
    pools.push({ sum: wish(spot, at) - (offsets[at] as number), count: 1 });
    for (let last = pools.at(-1), before = pools.at(-2); last && before; last = pools.at(-1), before = pools.at(-2)) {
      if (before.sum / before.count <= last.sum / last.count) break;
      pools.pop();
      before.sum += last.sum;
      before.count += last.count;
    }
  });
  let at = 0;
  for (const pool of pools) {
    for (let each = 0; each < pool.count; each += 1, at += 1) {
      const spot = row[at];
      if (spot) spot.x = pool.sum / pool.count + (offsets[at] as number);
    }
  }
}

function drawn(
  grid: Spot[][],
  spots: Spot[],
  chains: Spot[][],
  ends: readonly (readonly [number | undefined, number | undefined])[],
  back: boolean[],
): Layout {
  const all = grid.flat();
  const left = Math.min(0, ...all.map((spot) => spot.x - spot.width / 2));
  for (const spot of all) spot.x -= left;
  const tops: number[] = [];
  let bottom = 0;
  for (const row of grid) {
    tops.push(bottom);
    bottom += Math.max(0, ...row.map((spot) => spot.height)) + GAP_Y;
  }
  const heightOf = (row: number) => Math.max(0, ...(grid[row] ?? []).map((spot) => spot.height));
  const pointOf = (spot: Spot): Point => ({ x: spot.x, y: (tops[spot.row] ?? 0) + heightOf(spot.row) / 2 });
  const routes = chains.map((chain, at): Route => {
    if (!back[at]) return { points: chain.map(pointOf), isBack: false };
    const [from, to] = (ends[at] ?? []).map((place) => (place === undefined ? undefined : spots[place]));
    return { points: from && to ? [pointOf(from), pointOf(to)] : [], isBack: true };
  });
  return {
    places: new Map(spots.map((spot) => [spot.id as string, pointOf(spot)])),
    routes,
    width: Math.max(0, ...all.map((spot) => spot.x + spot.width / 2)),
    height: Math.max(0, bottom - GAP_Y),
  };
}
