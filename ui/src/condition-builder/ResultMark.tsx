import { Check, Minus, X } from "lucide-react";
import { cx } from "@/parts/classes";
import { Tip } from "@/parts/Tip";
import { texts } from "@/texts";

/** Whether something holds for the chosen sample; a dash while that is not known. */
export function ResultMark({ result }: { result: boolean | null | undefined }) {
  const text =
    result === undefined
      ? texts.condition.noSample
      : result === null
        ? texts.condition.undecided
        : result
          ? texts.condition.passes
          : texts.condition.fails;
  return (
    <Tip text={text}>
      <span
        role="img"
        aria-label={text}
        className={cx(
          "grid size-[18px] shrink-0 place-items-center rounded-full",
          result == null && "bg-idle-wash text-faint",
          result === true && "bg-good-wash text-good",
          result === false && "bg-bad-wash text-bad",
        )}
      >
        {result == null ? (
          <Minus size={11} />
        ) : result ? (
          <Check size={12} strokeWidth={2.6} />
        ) : (
          <X size={12} strokeWidth={2.6} />
        )}
      </span>
    </Tip>
  );
}
