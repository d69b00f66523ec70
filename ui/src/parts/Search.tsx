import { Search as SearchIcon } from "lucide-react";
import { useEffect, useState } from "react";

type Props = { value: string; label: string; placeholder: string; onChange: (value: string) => void; wait?: number };

/** A search field that tells its text once typing pauses. */
export function Search({ value, label, placeholder, onChange, wait = 250 }: Props) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = window.setTimeout(() => onChange(text), wait);
    return () => window.clearTimeout(timer);
  }, [text, value, onChange, wait]);
  return (
    <div className="relative w-64 max-w-full">
      <SearchIcon
        size={14}
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-faint"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="control h-8 pl-8!"
      />
    </div>
  );
}
