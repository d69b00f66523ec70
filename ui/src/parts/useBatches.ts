import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { inBatches, type Progress } from "./batches";

type Send = Parameters<typeof inBatches>[1];

/** Work on many things in batches: how far it is, and how to stop it after the batch that is under way. */
export function useBatches(changed: readonly string[], onDone: (end: Progress) => void) {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const work = useMutation({
    mutationFn: ({ all, send }: { all: number; send: Send }) => inBatches(all, send, setProgress, stop.current.signal),
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: changed }),
  });
  return {
    progress,
    isPending: work.isPending,
    error: work.error,
    start: (all: number, send: Send) => {
      stop.current = new AbortController();
      work.mutate({ all, send });
    },
    stop: () => stop.current.abort(),
  };
}
