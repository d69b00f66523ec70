import { useQuery } from "@tanstack/react-query";
import { History, Merge, TriangleAlert, Users } from "lucide-react";
import type { ReactNode } from "react";
import { sinceQuery } from "@/api/automations";
import type { AutomationItem } from "@/api/types";
import { Button } from "@/parts/Button";
import { Skeleton } from "@/parts/Notes";
import { texts } from "@/texts";
import { ChangeList } from "../ChangeList";
import { documentOf, emptyDocument } from "./draft";
import type { DraftState } from "./useDraft";
import type { Others, SaveState } from "./useSave";

/** What the editor must say before anything else: restored changes, and somebody else's save. */
export function Notices({ draft, save, item }: { draft: DraftState; save: SaveState; item: AutomationItem | null }) {
  if (save.others) return <OthersNotice others={save.others} draft={draft} save={save} />;
  if (save.bothChanged) {
    const both = save.bothChanged;
    return (
      <Notice
        icon={<Merge size={15} />}
        text={both.length ? texts.others.togetherBut(both.join(", ")) : texts.others.together}
      >
        <Button size="sm" onClick={save.dismissOthers}>
          {texts.actions.dismiss}
        </Button>
      </Notice>
    );
  }
  if (!draft.wasRestored || !draft.dirty) return null;
  return (
    <Notice icon={<History size={15} />} text={texts.editor.restored}>
      <Button
        size="sm"
        onClick={() => draft.rebase(item ? documentOf(item) : emptyDocument, item?.draft_revision ?? null)}
      >
        {texts.editor.discardRestored}
      </Button>
    </Notice>
  );
}

/** What somebody else saved, in words, and the ways on; nothing of either is lost by any of them. */
function OthersNotice({ others, draft, save }: { others: Others; draft: DraftState; save: SaveState }) {
  const { item, base, isShown } = others;
  const since = useQuery(sinceQuery(item.id, base, item.draft_revision));
  return (
    <Notice
      icon={isShown ? <Users size={15} /> : <TriangleAlert size={15} />}
      text={isShown ? texts.others.shown : texts.others.stale}
      detail={
        since.data ? <ChangeList changes={since.data.changes} /> : since.isPending && <Skeleton className="h-4 w-64" />
      }
    >
      {isShown ? (
        <>
          <Button
            size="sm"
            onClick={() => {
              draft.undo();
              save.dismissOthers();
            }}
          >
            {texts.others.before}
          </Button>
          <Button size="sm" onClick={save.dismissOthers}>
            {texts.actions.dismiss}
          </Button>
        </>
      ) : (
        <>
          <Button size="sm" look="primary" onClick={save.putTogether}>
            {texts.others.putTogether}
          </Button>
          <Button size="sm" onClick={save.loadTheirs}>
            {texts.others.loadTheirs}
          </Button>
          <Button size="sm" look="danger" busy={save.saving} onClick={save.saveOver}>
            {texts.others.saveMine}
          </Button>
        </>
      )}
    </Notice>
  );
}

type NoticeProps = { icon: ReactNode; text: string; detail?: ReactNode; children: ReactNode };

function Notice({ icon, text, detail, children }: NoticeProps) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-start gap-x-2.5 gap-y-2 border-b border-line bg-warn-wash px-5 py-2 text-sm text-warn"
    >
      <span aria-hidden className="mt-1">
        {icon}
      </span>
      <div className="flex min-w-48 flex-1 flex-col gap-1 py-0.5">
        <p>{text}</p>
        {detail && <div className="max-h-32 overflow-y-auto text-ink">{detail}</div>}
      </div>
      <div className="flex flex-wrap gap-2">{children}</div>
    </div>
  );
}
