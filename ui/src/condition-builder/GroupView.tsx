import { FolderPlus, Plus, Trash2 } from "lucide-react";
import type { Group } from "@/api/types";
import { Button, IconButton } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { FieldError } from "@/parts/Field";
import { texts } from "@/texts";
import { useBuilder, useProblemsAt } from "./context";
import { addTo, emptyGroup, emptyLeaf, isGroup, type Place, patchGroup, pathOf } from "./model";
import { ResultMark } from "./ResultMark";
import { RuleView } from "./RuleView";

const numberOf = (place: Place) => place.map((index) => index + 1).join(".");

export function GroupView({ group, place }: { group: Group; place: Place }) {
  const { root, change, remove, told, empty } = useBuilder();
  const problems = useProblemsAt(place);
  const isRoot = place.length === 0;
  return (
    <fieldset
      aria-label={texts.condition.group(numberOf(place))}
      className={cx("min-w-0", !isRoot && "rounded-lg border border-line bg-sunken/60 p-2.5")}
    >
      <div className="flex flex-wrap items-center gap-2">
        {(group.rules.length > 1 || !isRoot) && <Join group={group} place={place} />}
        {(group.rules.length > 1 || group.not || !isRoot) && <NotToggle group={group} place={place} />}
        {(group.rules.length > 1 || group.not) && <ResultMark result={told.get(place.join("."))?.result} />}
        {!isRoot && (
          <IconButton
            size="sm"
            className="ml-auto"
            danger
            label={texts.actions.remove}
            icon={<Trash2 size={14} />}
            onClick={() => remove(place)}
          />
        )}
      </div>
      {group.rules.length === 0 && (
        <p className={cx("text-sm text-faint", !isRoot && "mt-2")}>{isRoot ? empty : texts.condition.emptyGroup}</p>
      )}
      <ol className={cx("flex flex-col gap-1.5", group.rules.length > 0 && "mt-2.5")}>
        {group.rules.map((node, index) => {
          const inner = [...place, index];
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a node's place is its identity here
            <li key={index} className="flex gap-2">
              <span aria-hidden className="w-7 shrink-0 pt-[7px] text-right text-xs text-faint">
                {index === 0 ? "" : texts.condition.joins[group.combinator]}
              </span>
              <div className="min-w-0 flex-1">
                {isGroup(node) ? <GroupView group={node} place={inner} /> : <RuleView leaf={node} place={inner} />}
              </div>
            </li>
          );
        })}
      </ol>
      {problems.map((problem) => (
        <FieldError key={problem.message}>{problem.message}</FieldError>
      ))}
      <div data-add className={cx("mt-2 flex gap-1.5", group.rules.length > 0 && "pl-9")}>
        <Button
          size="sm"
          look={isRoot ? "plain" : "quiet"}
          icon={<Plus size={13} />}
          onClick={() => change(addTo(root, place, emptyLeaf()))}
        >
          {texts.condition.add}
        </Button>
        <Button
          size="sm"
          look="quiet"
          icon={<FolderPlus size={13} />}
          onClick={() =>
            change(
              addTo(root, place, { ...emptyGroup(group.combinator === "and" ? "or" : "and"), rules: [emptyLeaf()] }),
            )
          }
        >
          {texts.condition.addGroup}
        </Button>
      </div>
    </fieldset>
  );
}

function Join({ group, place }: { group: Group; place: Place }) {
  const { root, change, at } = useBuilder();
  return (
    <div
      role="radiogroup"
      aria-label={texts.condition.combinator}
      className="inline-flex rounded-md border border-line-strong bg-surface p-0.5 shadow-card"
    >
      {(["and", "or"] as const).map((combinator) => (
        <label
          key={combinator}
          className={cx(
            "flex h-6 cursor-pointer items-center rounded px-2 text-xs font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent",
            group.combinator === combinator ? "bg-accent-wash text-accent-text" : "text-soft hover:text-ink",
          )}
        >
          <input
            type="radio"
            className="sr-only"
            name={`join-${pathOf(place, at)}`}
            checked={group.combinator === combinator}
            onChange={() => change(patchGroup(root, place, { combinator }))}
          />
          {combinator === "and" ? texts.condition.all : texts.condition.any}
        </label>
      ))}
    </div>
  );
}

function NotToggle({ group, place }: { group: Group; place: Place }) {
  const { root, change } = useBuilder();
  return (
    <button
      type="button"
      aria-pressed={Boolean(group.not)}
      aria-label={texts.condition.notLabel}
      onClick={() => change(patchGroup(root, place, { not: !group.not || undefined }))}
      className={cx(
        "h-7 rounded-md border px-2 text-xs font-medium",
        group.not
          ? "border-transparent bg-warn-wash text-warn"
          : "border-transparent text-faint hover:bg-hover hover:text-ink",
      )}
    >
      {texts.condition.not}
    </button>
  );
}
