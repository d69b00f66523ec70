import { History, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { statusOf } from "@/api/client";
import type { AutomationItem } from "@/api/types";
import { Button } from "@/parts/Button";
import { texts } from "@/texts";
import { documentOf, emptyDocument } from "./draft";
import type { DraftState } from "./useDraft";
import { useReload } from "./useReload";
import type { SaveState } from "./useSave";

/** What the editor must say before anything else: restored changes, and somebody else's save. */
export function Notices({ draft, save, item }: { draft: DraftState; save: SaveState; item: AutomationItem | null }) {
  const reload = useReload(item, save.rebase);
  if (statusOf(save.error) === 412) {
    return (
      <Notice icon={<TriangleAlert size={15} />} text={`${texts.editor.stale} ${texts.editor.staleHelp}`}>
        <Button size="sm" onClick={() => void reload()}>
          {texts.editor.loadTheirs}
        </Button>
        <Button size="sm" look="danger" onClick={save.saveOver}>
          {texts.editor.saveMine}
        </Button>
      </Notice>
    );
  }
  if (!draft.wasRestored || !draft.dirty) return null;
  return (
    <Notice icon={<History size={15} />} text={texts.editor.restored}>
      <Button size="sm" onClick={() => draft.load(item ? documentOf(item) : emptyDocument)}>
        {texts.editor.discardRestored}
      </Button>
    </Notice>
  );
}

function Notice({ icon, text, children }: { icon: ReactNode; text: string; children: ReactNode }) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-2.5 border-b border-line bg-warn-wash px-5 py-2 text-sm text-warn"
    >
      {icon}
      <p className="min-w-0 flex-1">{text}</p>
      {children}
    </div>
  );
}
