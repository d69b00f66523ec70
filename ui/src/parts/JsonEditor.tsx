import { useEffect, useRef, useState } from "react";
import type { Json } from "@/api/types";
import { cx } from "./classes";
import { FieldError } from "./Field";
import { readJson } from "./json";

type Props = {
  value: Json;
  label: string;
  rows?: number;
  className?: string;
  /** Called with each text that is JSON. */
  onChange: (value: Json) => void;
  /** Told when the text stops or starts being JSON. */
  onValid?: (valid: boolean) => void;
  grow?: boolean;
};

/** JSON as text. What is typed stays as typed; a value given from outside replaces it only when it differs. */
export function JsonEditor({ value, label, rows = 12, className, onChange, onValid, grow = false }: Props) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const known = useRef(JSON.stringify(value));
  useEffect(() => {
    const given = JSON.stringify(value);
    if (given !== known.current) {
      known.current = given;
      setText(JSON.stringify(value, null, 2));
    }
  }, [value]);
  const read = readJson(text);
  const change = (next: string) => {
    setText(next);
    const result = readJson(next);
    onValid?.(result.error === null);
    if (result.error === null) {
      known.current = JSON.stringify(result.value);
      onChange(result.value);
    }
  };
  return (
    <div className={cx("flex flex-col gap-1.5", grow && "min-h-0 flex-1", className)}>
      <textarea
        aria-label={label}
        aria-invalid={read.error !== null}
        value={text}
        rows={rows}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => change(event.target.value)}
        className={cx("control code p-3! leading-[1.55]", grow && "min-h-64 flex-1 resize-none")}
      />
      {read.error !== null && <FieldError>{read.error}</FieldError>}
    </div>
  );
}
