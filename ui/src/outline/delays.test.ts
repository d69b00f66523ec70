import { describe, expect, it } from "vitest";
import type { Json } from "@/api/types";
import { type DelayKind, delayKind, delayOf, delayWords, partsOf, startDelay } from "./delays";

const forms: [Json, DelayKind][] = [
  ["24h", "duration"],
  [{ months: 1 }, "duration"],
  [{ seconds: "{{ wait }}" }, "duration"],
  [{ hours: 4, within: { from: "09:00", to: "17:00", days: ["monday"] }, zone: "Europe/Paris" }, "duration"],
  [{ until: "2026-12-01T09:00:00Z" }, "until"],
  [{ until: "{{ invoice.due_on }}", at: "18:00" }, "until"],
  [{ at: "09:00" }, "time"],
  [{ days: 1, at: "09:00" }, "time"],
  [{ days: 2, before: "{{ invoice.due_on }}", at: "08:00" }, "date"],
  [{ days: 2, after: "{{ invoice.due_on }}" }, "date"],
  [{ within: { from: "09:00", to: "00:00" } }, "hours"],
  [{ within: { from: "09:00", to: "17:00", except: ["2026-12-25"] } }, "hours"],
  [{ working: "8h", within: { from: "09:00", to: "17:00" } }, "working"],
  [{ working: { minutes: "{{ n }}" }, after: "{{ paid_at }}", within: { from: "09:00", to: "17:00" } }, "working"],
];

describe("delays", () => {
  it("are shown in their form and written as they were", () => {
    for (const [delay, kind] of forms) {
      expect(delayKind(delay)).toBe(kind);
      const parts = partsOf(delay);
      expect(parts && delayOf(parts)).toEqual(delay);
    }
  });

  it("stay as they are where the form cannot show all of them", () => {
    for (const delay of [
      "PT1H",
      "1h30m",
      { days: 1, hours: 2 },
      { until: "a", before: "b" },
      { hours: 1, new: 2 },
      { working: "1h30m", within: { from: "09:00", to: "17:00" } },
      { working: "2d", within: { from: "09:00", to: "17:00" } },
      { working: "8h", until: "a" },
      { working: "8h", at: "09:00" },
      90,
    ]) {
      expect(delayKind(delay as Json)).toBe("custom");
    }
  });

  it("begin with something usable in each form", () => {
    for (const kind of ["duration", "until", "time", "date", "hours", "working"] as const) {
      expect(delayKind(startDelay(kind, "PT1H"))).toBe(kind);
      expect(delayKind(startDelay(kind, { days: 2, before: "{{ due }}" }))).toBe(kind);
    }
  });

  it("are told in words", () => {
    expect(delayWords("24h")).toBe("for 24 hours");
    expect(delayWords("1d")).toBe("for 1 day");
    expect(delayWords({ days: 2, before: "{{ due }}", at: "08:00" })).toBe("2 days before {{ due }} at 08:00");
    expect(delayWords({ at: "09:00", zone: "Europe/Paris" })).toBe("until it is 09:00 (Europe/Paris)");
    expect(delayWords({ within: { from: "09:00", to: "17:00" } })).toBe("in opening hours 09:00 to 17:00");
    const within = { from: "09:00", to: "17:00", except: ["2026-12-25"] };
    expect(delayWords({ working: "8h", within })).toBe(
      "for 8 hours of working time in opening hours 09:00 to 17:00 (closed on 1 date)",
    );
    expect(delayWords({ working: { hours: 1 }, after: "{{ paid }}", within: { from: "09:00", to: "17:00" } })).toBe(
      "for 1 hour of working time from {{ paid }} on in opening hours 09:00 to 17:00",
    );
    expect(delayWords("PT1H")).toBe("for PT1H");
  });
});
