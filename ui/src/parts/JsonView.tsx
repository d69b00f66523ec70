import { useState } from "react";
import type { Json } from "@/api/types";
import { texts } from "@/texts";
import { CopyIconButton } from "./Copy";
import { cx } from "./classes";

const LIMIT = 20_000;

/** A JSON value, indented and coloured. Very long values are cut, with their size; copying always gives all of it. */
export function JsonView({ value, label, className }: { value: Json | undefined; label: string; className?: string }) {
  const [whole, setWhole] = useState(false);
  const text = JSON.stringify(value ?? null, null, 2);
  const cut = text.length > LIMIT && !whole;
  return (
    <div className={cx("group relative overflow-hidden rounded-md border border-line bg-sunken", className)}>
      <div className="absolute top-1 right-1 opacity-60 group-hover:opacity-100">
        <CopyIconButton text={text} label={texts.actions.copyNamed(label)} />
      </div>
      <fieldset
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={label}
        className="max-h-96 min-w-0 overflow-auto"
      >
        <pre className="code p-3 pr-9 leading-[1.55]">{colour(cut ? text.slice(0, LIMIT) : text)}</pre>
      </fieldset>
      {cut && (
        <button
          type="button"
          className="w-full border-t border-line py-1.5 text-xs text-soft hover:bg-hover"
          onClick={() => setWhole(true)}
        >
          {texts.actions.showAll(Math.round(text.length / 1024))}
        </button>
      )}
    </div>
  );
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

function colour(text: string) {
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const at = match.index;
    if (at > from) parts.push(text.slice(from, at));
    const [token, string, colon] = match;
    const tone = string ? (colon ? "text-ink" : "text-good") : match[3] ? "text-warn" : "text-info";
    parts.push(
      <span key={at} className={tone}>
        {string && colon ? string : token}
      </span>,
    );
    if (string && colon) parts.push(colon);
    from = at + token.length;
  }
  parts.push(text.slice(from));
  return parts;
}
