import { Braces } from "lucide-react";
import { Popover } from "radix-ui";
import { type KeyboardEvent, useMemo, useState } from "react";
import type { Fact } from "@/condition-builder/facts";
import { cx } from "@/parts/classes";
import { brief } from "@/parts/json";
import { texts } from "@/texts";

type Props = { label: string; facts: Fact[]; onPick: (path: string) => void; iconOnly?: boolean };

/** Chooses a fact of the sample to fill in. Arrow keys and Enter work from the search field. */
export function InsertData({ label, facts, onPick, iconOnly = false }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label={label}
        className={cx(
          "inline-flex items-center gap-1 rounded-md text-xs font-medium text-accent-text hover:bg-accent-wash",
          iconOnly ? "size-8 justify-center" : "h-5 px-1.5",
        )}
      >
        <Braces size={13} aria-hidden />
        {!iconOnly && texts.form.insert}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="animate-appear z-[70] w-[380px] max-w-[calc(100vw-24px)] rounded-lg border border-line bg-raised p-1.5 shadow-pop"
        >
          <FactList
            facts={facts}
            onPick={(path) => {
              onPick(path);
              setOpen(false);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function FactList({ facts, onPick }: { facts: Fact[]; onPick: (path: string) => void }) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return facts.filter((fact) => `${fact.path} ${fact.title ?? ""}`.toLowerCase().includes(wanted)).slice(0, 100);
  }, [facts, text]);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && shown.length) {
      event.preventDefault();
      setActive((index) => (index + move + shown.length) % shown.length);
    } else if (event.key === "Enter" && shown[active]) {
      event.preventDefault();
      onPick(shown[active].path);
    }
  };
  return (
    <>
      <input
        type="search"
        aria-label={texts.form.searchData}
        placeholder={texts.form.searchData}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="control mb-1 h-8"
      />
      <ul className="max-h-72 overflow-y-auto">
        {shown.map((fact, index) => (
          <li key={fact.path}>
            <button
              type="button"
              tabIndex={-1}
              onClick={() => onPick(fact.path)}
              className={cx(
                "flex w-full items-baseline gap-3 rounded-md px-2 py-1.5 text-left hover:bg-hover",
                index === active && "bg-hover",
              )}
            >
              <span className="min-w-0 truncate font-mono text-xs">{fact.path}</span>
              <span className="ml-auto max-w-40 shrink-0 truncate text-xs text-faint">
                {fact.example !== undefined ? brief(fact.example, 30) : (fact.title ?? fact.type)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="px-2 py-3 text-sm text-faint">{texts.form.noData}</p>}
    </>
  );
}
