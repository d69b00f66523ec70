import { describe, expect, it } from "vitest";
import { ago, span } from "./instants";

describe("span", () => {
  it.each([
    [3.21, "3.2 ms"],
    [840, "840 ms"],
    [1234, "1.2 s"],
    [61_000, "1 min 1 s"],
    [7_200_000, "2 h"],
    [90_000_000, "1 d 1 h"],
  ])("%d ms reads %s", (milliseconds, text) => {
    expect(span(milliseconds)).toBe(text);
  });
});

describe("ago", () => {
  const now = Date.UTC(2026, 10, 21, 12);
  it("speaks of the past and of the future", () => {
    expect(ago(now - 500, now)).toBe("just now");
    expect(ago(now - 12_000, now)).toBe("12 s ago");
    expect(ago(now + 7_200_000, now)).toBe("in 2 h");
  });
  it("gives a date after a week", () => {
    expect(ago(now - 30 * 86_400_000, now)).toMatch(/2026/);
  });
});
