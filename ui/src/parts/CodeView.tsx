import { useEffect, useRef } from "react";
import { cx } from "./classes";
import { lineOf } from "./code";

/** A program to read, with the numbers of its lines; the line that `error` names is marked. */
export function CodeView({ value, label, error }: { value: string; label: string; error: string | null }) {
  const wrong = error ? lineOf(error) : null;
  const marked = useRef<HTMLLIElement>(null);
  useEffect(() => marked.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <fieldset
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={label}
      className="code max-h-96 min-w-0 overflow-auto rounded-md border border-line bg-sunken"
    >
      <ol className="w-max min-w-full py-2 leading-[19px]">
        {value.split("\n").map((line, at) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: the number of a line is its identity
            key={at}
            ref={at + 1 === wrong ? marked : undefined}
            aria-current={at + 1 === wrong ? "location" : undefined}
            className={cx("flex", at + 1 === wrong && "bg-bad-wash")}
          >
            <span
              aria-hidden
              className={cx(
                "w-11 shrink-0 pr-2 text-right select-none",
                at + 1 === wrong ? "font-semibold text-bad" : "text-faint",
              )}
            >
              {at + 1}
            </span>
            <span className="border-l border-line pr-3 pl-2.5 whitespace-pre">{line || " "}</span>
          </li>
        ))}
      </ol>
    </fieldset>
  );
}
