import { useQueryClient } from "@tanstack/react-query";
import { automationQuery } from "@/api/automations";
import type { AutomationDocument, AutomationItem } from "@/api/types";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { documentOf } from "./draft";

/** Loads another's version over the draft. */
export function useReload(item: AutomationItem | null, load: (document: AutomationDocument) => void) {
  const client = useQueryClient();
  const say = useSay();
  return async () => {
    if (!item) return;
    try {
      const fresh = await client.fetchQuery({ ...automationQuery(item.id), staleTime: 0 });
      load(documentOf(fresh));
    } catch (error) {
      say.failed(texts.errors.action(texts.editor.loadTheirs.toLowerCase()), error);
    }
  };
}
