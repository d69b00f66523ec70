import { CircleCheck, CircleSlash } from "lucide-react";
import { cx } from "@/parts/classes";
import { texts } from "@/texts";

/** Would it start, and the sentence that says why. */
export function Sentence({ holds, text }: { holds: boolean; text?: string }) {
  const Icon = holds ? CircleCheck : CircleSlash;
  return (
    <div
      role="status"
      className={cx(
        "flex items-start gap-2 rounded-lg px-3 py-2.5 text-sm",
        holds ? "bg-good-wash text-good" : "bg-warn-wash text-warn",
      )}
    >
      <Icon size={16} aria-hidden className="mt-0.5 shrink-0" />
      <p className="min-w-0">
        <strong className="font-semibold">{holds ? texts.inspector.wouldStart : texts.inspector.wouldNotStart}</strong>
        {text && <span className="block break-words">{text}</span>}
      </p>
    </div>
  );
}
