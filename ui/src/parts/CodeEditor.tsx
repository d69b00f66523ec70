import { type KeyboardEvent, type UIEvent, useState } from "react";
import { cx } from "./classes";
import { lineOf, moved, newLine } from "./code";

type Props = {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
  value: string;
  placeholder?: string;
  /** What is wrong with it; where it names a line, that one is marked. */
  error: string | null;
  onChange: (value: string) => void;
};

const LINE_PIXELS = 19;
const PADDING_PIXELS = 10;
const LINES = { fewest: 8, most: 28 };

/** A program as text, with the numbers of its lines. Tab moves on as everywhere; Ctrl ] and Ctrl [ move lines in and out. */
export function CodeEditor({ value, error, onChange, ...control }: Props) {
  const [scrolled, setScrolled] = useState(0);
  const lines = value.split("\n").length;
  const wrong = error ? lineOf(error) : null;
  const height = Math.min(LINES.most, Math.max(LINES.fewest, lines)) * LINE_PIXELS + 2 * PADDING_PIXELS;
  const top = (line: number) => PADDING_PIXELS + (line - 1) * LINE_PIXELS - scrolled;
  return (
    <div
      className={cx(
        "code relative flex overflow-hidden rounded-md border bg-surface leading-[19px] has-focus-visible:border-accent has-focus-visible:ring-1 has-focus-visible:ring-accent",
        error ? "border-bad" : "border-line-strong",
      )}
      style={{ height }}
    >
      {wrong !== null && (
        <span aria-hidden className="absolute inset-x-0 bg-bad-wash" style={{ top: top(wrong), height: LINE_PIXELS }} />
      )}
      <div aria-hidden className="relative w-11 shrink-0 overflow-hidden border-r border-line select-none">
        <ol className="absolute right-0 left-0 pr-2 text-right text-faint" style={{ top: top(1) }}>
          {Array.from({ length: lines }, (_, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the number of a line is its identity
            <li key={at} data-line={at + 1} className={cx(at + 1 === wrong && "font-semibold text-bad")}>
              {at + 1}
            </li>
          ))}
        </ol>
      </div>
      <textarea
        {...control}
        value={value}
        wrap="off"
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        onKeyDown={(event) => typed(event, onChange)}
        onScroll={(event: UIEvent<HTMLTextAreaElement>) => setScrolled(event.currentTarget.scrollTop)}
        onChange={(event) => onChange(event.target.value)}
        className="relative min-w-0 flex-1 resize-none bg-transparent py-2.5 pr-3 pl-2.5 leading-[19px] text-ink outline-none placeholder:text-faint"
      />
    </div>
  );
}

function typed(event: KeyboardEvent<HTMLTextAreaElement>, onChange: (value: string) => void) {
  const area = event.currentTarget;
  const { value, selectionStart, selectionEnd } = area;
  const isModified = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && !isModified && !event.shiftKey && !event.nativeEvent.isComposing) {
    event.preventDefault();
    write(area, newLine(value, selectionStart), onChange);
  } else if (isModified && (event.key === "]" || event.key === "[")) {
    event.preventDefault();
    const { from, to, text } = moved(value, selectionStart, selectionEnd, event.key === "]");
    area.setSelectionRange(from, to);
    write(area, text, onChange);
    if (selectionStart !== selectionEnd) area.setSelectionRange(from, from + text.length);
  }
}

/** Writes in the place of what is selected, as typing does: so the browser can undo it. */
function write(area: HTMLTextAreaElement, text: string, onChange: (value: string) => void) {
  if (text !== "" && document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  onChange(area.value);
}
