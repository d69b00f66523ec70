import type { AutomationItem } from "@/api/types";
import { Badge } from "@/parts/Status";
import { texts } from "@/texts";

/** `v3`, `v3 · draft` when what is saved differs from what is live, `draft` when nothing is live yet. */
export function VersionBadge({ item }: { item: AutomationItem }) {
  const { version } = item;
  if (version === null) return <Badge tone="warn">{texts.automations.draftOnly}</Badge>;
  return (
    <Badge tone={item.has_draft_changes ? "warn" : "idle"}>
      {item.has_draft_changes ? texts.automations.withDraft(version) : texts.automations.version(version)}
    </Badge>
  );
}
