import { describe, expect, it } from "vitest";
import { lineOf, moved, newLine } from "./code";

describe("the line that a message names", () => {
  it.each([
    ["Line 2: Expected an expression", 2],
    ["the program failed at line 14: NameError", 14],
    ["is longer than 32,768 characters", null],
    [null, null],
  ])("%s", (message, line) => {
    expect(lineOf(message)).toBe(line);
  });
});

describe("a new line", () => {
  it.each([
    ["x = 1", "\n"],
    ["    x = 1", "\n    "],
    ["for one in inputs:", "\n    "],
    ["    if x: ", "\n        "],
  ])("after %j is %j", (before, written) => {
    expect(newLine(before, before.length)).toBe(written);
    expect(newLine(`first:\n${before}\nlast`, `first:\n${before}`.length)).toBe(written);
  });
});

describe("lines that are moved", () => {
  it("are all that the selection touches", () => {
    expect(moved("a\nb\nc", 0, 3, true)).toEqual({ from: 0, to: 3, text: "    a\n    b" });
    expect(moved("a\nb\nc", 4, 4, true)).toEqual({ from: 4, to: 5, text: "    c" });
  });
  it("come back as they were", () => {
    const text = "if x:\n    y\n";
    const { text: further } = moved(text, 0, text.length - 1, true);
    expect(moved(further, 0, further.length, false).text).toBe("if x:\n    y");
    expect(moved("  a", 1, 1, false).text).toBe("a");
  });
});
