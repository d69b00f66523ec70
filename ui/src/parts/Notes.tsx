import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { explainError, problemsOf } from "@/api/client";
import type { Problem } from "@/api/types";
import { texts } from "@/texts";
import { Button } from "./Button";
import { cx } from "./classes";

/** Nothing here yet, or nothing that matches: says what would appear and offers the next thing to do. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <div
        aria-hidden
        className="mb-3 grid size-11 place-items-center rounded-xl border border-line bg-sunken text-faint"
      >
        {icon}
      </div>
      <h2 className="text-base font-semibold">{title}</h2>
      {children && <div className="mt-1 max-w-md text-sm text-soft">{children}</div>}
      {action && <div className="mt-4 flex gap-2">{action}</div>}
    </div>
  );
}

/** A request failed: what, why, and a way to try again. */
export function ErrorNote({ error, what, onRetry }: { error: unknown; what?: string; onRetry?: () => void }) {
  const problems = problemsOf(error); // what the error says in one line, it says again one by one
  return (
    <div
      role="alert"
      className="flex items-start gap-2.5 rounded-lg border border-bad/30 bg-bad-wash px-3.5 py-2.5 text-sm text-bad"
    >
      <CircleAlert size={16} aria-hidden className="mt-0.5 shrink-0" />
      <div className="min-w-0 flex-1">
        {what && <p className="font-semibold">{what}</p>}
        {problems.length > 0 ? (
          <ProblemLines problems={problems} />
        ) : (
          <p className="break-words">{explainError(error)}</p>
        )}
      </div>
      {onRetry && (
        <Button size="sm" icon={<RotateCw size={13} />} onClick={onRetry}>
          {texts.actions.tryAgain}
        </Button>
      )}
    </div>
  );
}

type LinesProps = {
  problems: Problem[];
  onPick?: (problem: Problem) => void;
  /** How the place of a problem is called here; its path if left out. */
  where?: (problem: Problem) => string;
};

export function ProblemLines({ problems, onPick, where }: LinesProps) {
  return (
    <ul className="mt-1 flex flex-col gap-0.5">
      {problems.map((problem, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two problems may have one path and text
        <li key={index} className="text-sm [overflow-wrap:anywhere]">
          {onPick ? (
            <button
              type="button"
              className="text-left underline-offset-2 hover:underline"
              onClick={() => onPick(problem)}
            >
              <ProblemText problem={problem} where={where} />
            </button>
          ) : (
            <ProblemText problem={problem} where={where} />
          )}
        </li>
      ))}
    </ul>
  );
}

function ProblemText({ problem, where }: { problem: Problem; where?: LinesProps["where"] }) {
  if (where) {
    return (
      <>
        <span className="font-semibold">{where(problem)}:</span> {problem.message}
      </>
    );
  }
  return (
    <>
      {problem.path && <code className="code mr-1.5 font-semibold">{problem.path}</code>}
      {problem.message}
    </>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("animate-shimmer rounded-md bg-idle-wash", className)} />;
}

export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" aria-label={texts.states.loading} className="flex flex-col">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <div key={index} className="flex items-center gap-4 border-b border-line px-4 py-3.5 last:border-0">
          <Skeleton className="h-4 w-8" />
          <Skeleton className="h-4 flex-1 max-w-72" />
          <Skeleton className="ml-auto h-4 w-24" />
          <Skeleton className="h-4 w-16" />
        </div>
      ))}
    </div>
  );
}
