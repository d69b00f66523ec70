import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type BulkAction, type BulkOptions, bulkRunsQuery, type RunFilter } from "@/api/runs";
import { seen, summed } from "./bulk";

/** What an action would do to the runs of a filter, asked batch by batch until all is known or somebody stops it. */
export function useForeseen(action: BulkAction, filter: RunFilter, options: BulkOptions) {
  const { data, error, isFetching, hasNextPage, fetchNextPage } = useInfiniteQuery(
    bulkRunsQuery(action, filter, options),
  );
  const asked = JSON.stringify([action, options]);
  const [stopped, setStopped] = useState<string | null>(null);
  const isLooking = hasNextPage && stopped !== asked && !error;
  useEffect(() => {
    if (isLooking && !isFetching) void fetchNextPage();
  }, [isLooking, isFetching, fetchNextPage]);
  const batches = data?.pages ?? [];
  return {
    told: summed(batches),
    seen: seen(batches),
    isLooking,
    isWhole: !hasNextPage,
    error,
    stop: () => setStopped(asked),
    goOn: () => {
      setStopped(null);
      if (error) void fetchNextPage();
    },
  };
}
