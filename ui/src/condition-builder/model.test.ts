import { describe, expect, it } from "vitest";
import type { Group } from "@/api/types";
import {
  addTo,
  asGroup,
  countLeaves,
  duplicateAt,
  explained,
  isGroup,
  moveAt,
  nodeAt,
  pathOf,
  removeAt,
  replaceAt,
  valueFor,
  wrapAt,
} from "./model";

const leaf = (field: string) => ({ field, operator: "equals", value: "x" });
const tree: Group = {
  combinator: "and",
  rules: [leaf("a"), { combinator: "or", rules: [leaf("b"), leaf("c")] }],
};

describe("changing a tree", () => {
  it("adds inside the group at a place and leaves the rest untouched", () => {
    const next = addTo(tree, [1], leaf("d"));
    expect(countLeaves(next)).toBe(4);
    expect(next.rules[0]).toBe(tree.rules[0]);
    expect(countLeaves(tree)).toBe(3);
  });

  it("removes a node, and a group that became empty with it", () => {
    const once = removeAt(tree, [1, 0]);
    expect(nodeAt(once, [1, 0])).toEqual(leaf("c"));
    expect(removeAt(once, [1, 0]).rules).toEqual([leaf("a")]);
  });

  it("moves within the group and stops at its ends", () => {
    expect(moveAt(tree, [0], -1)).toEqual(tree);
    expect(moveAt(tree, [0], 1).rules[1]).toEqual(leaf("a"));
  });

  it("replaces, wraps and copies", () => {
    expect(nodeAt(replaceAt(tree, [1, 1], leaf("z")), [1, 1])).toEqual(leaf("z"));
    const wrapped = nodeAt(wrapAt(tree, [0], "or"), [0]);
    expect(wrapped && isGroup(wrapped) && wrapped.rules).toEqual([leaf("a")]);
    const copied = duplicateAt({ combinator: "and", rules: [{ id: "c1", ...leaf("a") }] }, [0]);
    expect(copied.rules[1]).toEqual(leaf("a"));
  });

  it("makes a group of whatever was stored", () => {
    expect(asGroup(null)).toEqual({ combinator: "and", rules: [] });
    expect(asGroup(leaf("a")).rules).toHaveLength(1);
  });
});

describe("paths and values", () => {
  it("names nodes as the server does", () => {
    expect(pathOf([1, 0])).toBe("condition.rules[1].rules[0]");
    expect(pathOf([], "steps[2].branch")).toBe("steps[2].branch");
  });

  it("keeps a value that still fits the operator's operand", () => {
    expect(valueFor("list", "a")).toEqual(["a"]);
    expect(valueFor("range", "a")).toEqual(["", ""]);
    expect(valueFor("value", ["a"])).toBe("");
    expect(valueFor("none", "a")).toBeUndefined();
    expect(valueFor("duration", 3)).toEqual({ n: 1, unit: "day" });
  });
});

describe("explained", () => {
  it("finds each node's result by its place", () => {
    const told = explained(tree, {
      result: false,
      text: "",
      tree: {
        op: "and",
        result: false,
        children: [
          { path: "a", result: true },
          {
            op: "or",
            result: false,
            children: [
              { path: "b", result: false },
              { path: "c", result: false },
            ],
          },
        ],
      },
    });
    expect(told.get("0")?.result).toBe(true);
    expect(told.get("1.1")?.path).toBe("c");
    expect(told.get("")?.result).toBe(false);
  });

  it("looks through a not around a group", () => {
    const negated: Group = { combinator: "or", not: true, rules: [leaf("a"), leaf("b")] };
    const told = explained(negated, {
      result: true,
      text: "",
      tree: {
        op: "not",
        result: true,
        children: [
          {
            op: "or",
            result: false,
            children: [
              { path: "a", result: false },
              { path: "b", result: false },
            ],
          },
        ],
      },
    });
    expect(told.get("1")?.path).toBe("b");
  });
});
