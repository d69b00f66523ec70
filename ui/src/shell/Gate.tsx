import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { statusOf } from "@/api/client";
import { sessionQuery } from "@/api/system";
import { SignIn } from "@/pages/session/SignIn";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { texts } from "@/texts";

/** Lets through who has a session; anyone else signs in first. */
export function Gate({ children }: { children: ReactNode }) {
  const session = useQuery(sessionQuery);
  if (session.isPending) {
    return (
      <div role="status" aria-label={texts.states.loading} className="grid min-h-dvh place-items-center">
        <Skeleton className="h-8 w-40" />
      </div>
    );
  }
  if (statusOf(session.error) === 401) return <SignIn />;
  if (session.error) {
    return (
      <main className="mx-auto max-w-xl p-8">
        <ErrorNote error={session.error} onRetry={() => session.refetch()} />
      </main>
    );
  }
  return children;
}
