import { describe, expect, it } from "vitest";
import type { Foreseen } from "@/api/replays";
import { foresee, outlook, usual, wishOf } from "./replay";

const now = Date.UTC(2026, 10, 21, 9, 30, 20);
const counts = { started: 130, already: 0, dropped: 0, not_met: 0, left_out: 0, undecided: 0, gone: 0 };

describe("what a replay is asked for", () => {
  it("begins with a week up to now", () => {
    const { wish } = wishOf(usual(now), now);
    expect(wish).toMatchObject({ until: new Date(now).toISOString(), per_minute: 60, dropped: false });
    expect(wish && Date.parse(wish.until) - Date.parse(wish.since)).toBeGreaterThan(6.99 * 86_400_000);
    expect(wish && ("limit" in wish || "entity" in wish)).toBe(false);
  });

  it("names the fields that say nothing usable", () => {
    const typed = { ...usual(now), since: "2026-11-21T10:00", until: "2026-11-20T10:00", entity: "patient" };
    expect(wishOf(typed, now).bad).toEqual(["until", "entity"]);
    expect(wishOf({ ...usual(now), since: "" }, now).bad).toEqual(["since"]);
    expect(wishOf({ ...usual(now), entity: "a:b:c", limit: "5" }, now).wish).toMatchObject({
      entity: { type: "a", id: "b:c" },
      limit: 5,
    });
  });

  it("tells how long it takes, at its pace and up to its limit", () => {
    const { wish } = wishOf(usual(now), now);
    expect(wish && outlook(counts, wish)).toEqual({ runs: 130, minutes: 3 });
    expect(wish && outlook(counts, { ...wish, limit: 10 })).toEqual({ runs: 10, minutes: 1 });
  });

  it("looks on until there is no more, or until it is stopped", async () => {
    const asked: (string | undefined)[] = [];
    const answers = [{ next: "b" }, { next: null }] as Foreseen[];
    await foresee(
      () => {},
      new AbortController().signal,
      async (cursor) => {
        asked.push(cursor);
        return answers[asked.length - 1] as Foreseen;
      },
    );
    expect(asked).toEqual([undefined, "b"]);
    const stop = new AbortController();
    let told = 0;
    await foresee(
      () => {
        told += 1;
        stop.abort();
      },
      stop.signal,
      async () => ({ next: "more" }) as Foreseen,
    );
    expect(told).toBe(1);
  });
});
