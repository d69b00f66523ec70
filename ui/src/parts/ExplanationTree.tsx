import type { ExplainNode } from "@/api/types";
import { ResultMark } from "@/condition-builder/ResultMark";
import { texts } from "@/texts";
import { brief } from "./json";

/** Each condition with the value it saw and whether it held. */
export function ExplanationTree({ tree }: { tree: ExplainNode }) {
  return (
    <ul aria-label={texts.explain.tree} className="flex flex-col gap-1">
      <NodeView node={tree} top />
    </ul>
  );
}

const joins: Record<string, string> = { and: texts.explain.all, or: texts.explain.any, not: texts.explain.not };

function NodeView({ node, top = false }: { node: ExplainNode; top?: boolean }) {
  const children = node.children;
  if (!children) return <LeafView node={node} />;
  const only = children[0];
  if (top && children.length === 1 && only && node.op !== "not") return <NodeView node={only} />;
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
          <NodeView key={index} node={child} />
        ))}
      </ul>
    </li>
  );
}

function LeafView({ node }: { node: ExplainNode }) {
  const missing = node.state === "missing" || (!("actual" in node) && node.missing_at !== undefined);
  return (
    <li className="flex items-start gap-2 text-sm">
      <ResultMark result={node.result} />
      <div className="min-w-0 flex-1 break-words">
        <code className="code font-medium">{node.path}</code> <span className="text-soft">{texts.explain.was}</span>{" "}
        {missing ? (
          <span className="text-warn">{texts.explain.missing(node.missing_at)}</span>
        ) : (
          <code className="code">{brief(node.actual ?? null)}</code>
        )}
        <span className="text-faint">
          ,{" "}
          {texts.explain.needed(
            [
              (node.op ?? "").replaceAll("_", " "),
              node.expected === undefined || node.expected === null ? "" : brief(node.expected),
            ]
              .filter(Boolean)
              .join(" "),
          )}
        </span>
        {node.source && node.source !== "event" && (
          <span className="text-faint"> · {texts.explain.from(node.source)}</span>
        )}
      </div>
    </li>
  );
}
