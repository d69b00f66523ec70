import { expect, it } from "vitest";
import { delayKind, shortDelay, untilOf } from "./delays";

it("knows the delays its form can show", () => {
  expect(shortDelay("24h")).toEqual({ amount: "24", unit: "h" });
  expect(shortDelay({ minutes: 5 })).toEqual({ amount: "5", unit: "m" });
  expect(shortDelay({ hours: 1, minutes: 5 })).toBeNull();
  expect(delayKind("h")).toBe("duration");
  expect(delayKind({ until: "{{ a.b }}" })).toBe("until");
  expect(delayKind({ until: "x", offset: 1 })).toBe("custom");
  expect(delayKind({ seconds: "{{ n }}" })).toBe("custom");
  expect(untilOf({ until: "9:00" })).toBe("9:00");
});
