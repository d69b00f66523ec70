import { createContext, useContext } from "react";
import type { ExplainNode, Group, JsonObject, Operator, Problem } from "@/api/types";
import type { Fact } from "./facts";
import { type Place, pathOf } from "./model";

type Builder = {
  root: Group;
  change: (root: Group) => void;
  remove: (place: Place) => void;
  facts: Fact[];
  operators: Operator[];
  told: Map<string, ExplainNode>;
  sample: JsonObject | null;
  problems: Problem[];
  at: string;
  empty: string;
};

export const BuilderContext = createContext<Builder | null>(null);

export function useBuilder(): Builder {
  const builder = useContext(BuilderContext);
  if (!builder) throw new Error("useBuilder needs <ConditionBuilder> above it");
  return builder;
}

/** The server's problems with one node: those at its path or inside its value, not those of nodes below it. */
export function useProblemsAt(place: Place): Problem[] {
  const { problems, at } = useBuilder();
  const path = pathOf(place, at);
  return problems.filter(
    (problem) =>
      problem.path === path ||
      (problem.path.startsWith(`${path}.`) && !/^\.rules\[/.test(problem.path.slice(path.length))),
  );
}
