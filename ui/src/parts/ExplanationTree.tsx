import { useQuery } from "@tanstack/react-query";
import { operatorsQuery } from "@/api/system";
import type { ExplainNode, Json, Operator } from "@/api/types";
import { ResultMark } from "@/condition-builder/ResultMark";
import { neededWords } from "@/condition-builder/words";
import { texts } from "@/texts";
import { brief } from "./json";

const none: Operator[] = [];

/** Each condition with the value it saw, what it needs, and whether it held. */
export function ExplanationTree({ tree }: { tree: ExplainNode }) {
  const operators = useQuery(operatorsQuery).data ?? none;
  return (
    <ul aria-label={texts.explain.tree} className="flex flex-col gap-1">
      <NodeView node={tree} operators={operators} top />
    </ul>
  );
}

const joins: Record<string, string> = { and: texts.explain.all, or: texts.explain.any, not: texts.explain.not };

type Props = { node: ExplainNode; operators: Operator[]; top?: boolean };

function NodeView({ node, operators, top = false }: Props) {
  const children = node.children;
  if (!children || node.path) return <LeafView node={node} operators={operators} />;
  const only = children[0];
  if (top && children.length === 1 && only && !node.not && node.op !== "not")
    return <NodeView node={only} operators={operators} />;
  return (
    <li>
      <div className="flex items-center gap-2 text-sm text-soft">
        <ResultMark result={node.result} />
        {node.not && node.op !== "not" ? `${texts.explain.not} ` : ""}
        {joins[node.op ?? ""] ?? node.op}
      </div>
      <ul className="mt-1 ml-[8px] flex flex-col gap-1 border-l border-line pl-4">
        {children.map((child, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an explanation never changes
          <NodeView key={index} node={child} operators={operators} />
        ))}
      </ul>
    </li>
  );
}

function LeafView({ node, operators }: Props) {
  return (
    <li className="flex items-start gap-2 text-sm">
      <ResultMark result={node.result} />
      <div className="min-w-0 flex-1 break-words">
        <code className="code font-medium">{node.path}</code> <Seen node={node} />
        <span className="text-faint">, {texts.explain.needed(neededWords(node, operators))}</span>
        {node.source && node.source !== "event" && (
          <span className="text-faint"> · {texts.explain.from(node.source)}</span>
        )}
      </div>
    </li>
  );
}

function Seen({ node }: { node: ExplainNode }) {
  if (node.state === "missing") return <span className="text-warn">{texts.explain.missing}</span>;
  if (node.items !== undefined)
    return <span className="text-soft">{texts.explain.items(node.items_met ?? 0, node.items)}</span>;
  const actual: Json = node.actual ?? null;
  return (
    <>
      <span className="text-soft">{texts.explain.was}</span> <code className="code">{brief(actual)}</code>
    </>
  );
}
