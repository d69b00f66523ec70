import { useQueryClient } from "@tanstack/react-query";
import { automationQuery } from "@/api/automations";
import type { AutomationItem } from "@/api/types";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

/** Fetches what somebody else saved and takes it over. */
export function useReload(item: AutomationItem | null, load: (fresh: AutomationItem) => void) {
  const client = useQueryClient();
  const say = useSay();
  return async () => {
    if (!item) return;
    try {
      const fresh = await client.fetchQuery({ ...automationQuery(item.id), staleTime: 0 });
      load(fresh);
    } catch (error) {
      say.failed(texts.errors.action(texts.editor.loadTheirs.toLowerCase()), error);
    }
  };
}
