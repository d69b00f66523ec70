import type { DiffChange } from "@/api/types";
import { texts } from "@/texts";

const signs: Record<DiffChange["kind"], string> = { added: "+", removed: "−", changed: "~", moved: "↕" };

/** What changed, in words, a line for each. */
export function ChangeList({ changes }: { changes: DiffChange[] }) {
  if (changes.length === 0) return <p className="text-sm text-soft">{texts.versions.same}</p>;
  return (
    <ul className="flex flex-col gap-1 text-sm">
      {changes.map((change) => (
        <li key={`${change.path} ${change.text}`} className="flex gap-2 [overflow-wrap:anywhere]">
          <span aria-hidden className="w-3 shrink-0 text-center opacity-70">
            {signs[change.kind]}
          </span>
          {change.text}
        </li>
      ))}
    </ul>
  );
}
