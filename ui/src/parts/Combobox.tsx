import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { cx } from "./classes";

export type Choice = { value: string; label?: string; hint?: string };

type Props = {
  value: string;
  choices: Choice[];
  onChange: (value: string) => void;
  label?: string;
  placeholder?: string;
  id?: string;
  className?: string;
  mono?: boolean;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
};

const LIMIT = 60;

function matching(choices: Choice[], text: string): Choice[] {
  const wanted = text.toLowerCase();
  const found = choices.filter(
    (choice) => choice.value.toLowerCase().includes(wanted) || choice.label?.toLowerCase().includes(wanted),
  );
  return found.slice(0, LIMIT);
}

/** Free text with suggestions: arrow keys and Enter choose, Escape closes, anything else may be typed. */
export function Combobox({ value, choices, onChange, label, placeholder, id, className, mono, ...aria }: Props) {
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState(false);
  const [active, setActive] = useState(-1);
  const shown = useMemo(() => matching(choices, typed ? value : ""), [choices, typed, value]);
  const choose = (choice: Choice) => {
    onChange(choice.value);
    setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) setOpen(true);
      const move = event.key === "ArrowDown" ? 1 : -1;
      setActive((index) => (shown.length ? (index + move + shown.length) % shown.length : -1));
    } else if (event.key === "Enter" && isOpen && shown[active]) {
      event.preventDefault();
      choose(shown[active]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  };
  const visible = isOpen && shown.length > 0;
  return (
    <>
      <input
        ref={input}
        id={id}
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={visible}
        aria-controls={visible ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={visible && active >= 0 ? `${listId}-${active}` : undefined}
        {...aria}
        autoComplete="off"
        spellCheck={false}
        value={value}
        placeholder={placeholder}
        onFocus={() => setTyped(false)}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setTyped(true);
          setOpen(true);
          setActive(-1);
          onChange(event.target.value);
        }}
        className={cx("control h-8", mono && "font-mono text-xs!", className)}
      />
      {visible && (
        <Suggestions
          anchor={input.current}
          id={listId}
          choices={shown}
          active={active}
          value={value}
          onChoose={choose}
        />
      )}
    </>
  );
}

type ListProps = {
  anchor: HTMLElement | null;
  id: string;
  choices: Choice[];
  active: number;
  value: string;
  onChoose: (choice: Choice) => void;
};

function Suggestions({ anchor, id, choices, active, value, onChoose }: ListProps) {
  const place = usePlace(anchor);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (!place) return null;
  return createPortal(
    <div
      ref={list}
      id={id}
      role="listbox"
      style={place}
      className="animate-appear fixed z-[75] max-h-64 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop"
    >
      {choices.map((choice, index) => (
        // The input keeps the focus and the keys (aria-activedescendant); the pointer may choose too.
        // biome-ignore lint/a11y/useKeyWithClickEvents: see above
        <div
          key={choice.value}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={choice.value === value}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(choice)}
          className={cx(
            "flex cursor-pointer items-baseline gap-3 rounded-md px-2 py-1.5 text-sm hover:bg-hover",
            index === active && "bg-hover",
          )}
        >
          <span className="min-w-0 truncate font-mono text-xs">{choice.value}</span>
          <span className="ml-auto max-w-44 truncate text-xs text-faint">{choice.hint ?? choice.label}</span>
        </div>
      ))}
    </div>,
    document.body,
  );
}

function usePlace(anchor: HTMLElement | null) {
  const [place, setPlace] = useState<{
    left: number;
    top?: number;
    bottom?: number;
    minWidth: number;
    maxWidth: number;
  } | null>(null);
  useEffect(() => {
    if (!anchor) return;
    const measure = () => {
      const box = anchor.getBoundingClientRect();
      const above = window.innerHeight - box.bottom < 280 && box.top > 280;
      const width = Math.max(box.width, 260);
      const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
      const side = above ? { bottom: window.innerHeight - box.top + 4 } : { top: box.bottom + 4 };
      setPlace({ left, ...side, minWidth: width, maxWidth: Math.max(width, 420) });
    };
    measure();
    window.addEventListener("scroll", measure, true);
    window.addEventListener("resize", measure);
    return () => {
      window.removeEventListener("scroll", measure, true);
      window.removeEventListener("resize", measure);
    };
  }, [anchor]);
  return place;
}
