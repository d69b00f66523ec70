import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { automations } from "@/api/automations";
import type { AutomationDocument, Problem } from "@/api/types";
import { useDebounced } from "@/parts/useDebounced";
import { tidy } from "./draft";
import { tryable, withoutStandIn } from "./tryable";
import type { SampleState } from "./useSample";

const noProblems: Problem[] = [];
const noWarnings: { path: string; message: string }[] = [];

/** What the server says of the document as it stands: its problems, and a dry run on the sample. */
export function useChecks(
  document: AutomationDocument,
  sample: SampleState,
  refused: Problem[],
  strict: boolean,
  id: string | undefined,
) {
  const settled = useDebounced(document, 300);
  const sent = useMemo(() => tidy(settled), [settled]);
  const data = useDebounced(sample.data, 300);
  const entity = sample.entity;
  const validation = useQuery({
    queryKey: ["checks", "validate", sent],
    queryFn: () => automations.validate(sent),
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const found = validation.data?.problems ?? noProblems;
  const tried = useMemo(() => tryable(sent, found), [sent, found]);
  const dryRun = useQuery({
    queryKey: ["checks", "dry-run", tried, data, entity, id],
    queryFn: () => automations.test(tried as AutomationDocument, { data, entity }, id),
    enabled: tried !== null && validation.isSuccess && !validation.isPlaceholderData,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 30_000,
  });
  const all = found.length ? found : refused.length ? refused : noProblems;
  return {
    all,
    /** What is shown at the fields: nothing yet while somebody is still building a first draft. */
    problems: strict ? all : noProblems,
    /** When its schedule would be due next, whatever else is still wrong. */
    schedule: validation.data?.schedule ?? null,
    warnings: validation.data?.warnings ?? noWarnings,
    checking: validation.isFetching || settled !== document,
    checkError: validation.error,
    dryRun: dryRun.error || tried === null ? undefined : withoutStandIn(dryRun.data),
    dryRunError: dryRun.error,
    isTrying: dryRun.isFetching,
  };
}

export type Checks = ReturnType<typeof useChecks>;
