import { Link } from "@tanstack/react-router";
import { Gauge, Redo2, Undo2, X } from "lucide-react";
import type { AutomationItem } from "@/api/types";
import { Button, IconButton } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { StatusBadge } from "@/parts/Status";
import { texts } from "@/texts";
import { VersionBadge } from "../VersionBadge";
import type { DraftState } from "./useDraft";

export type EditorView = "build" | "canvas" | "json";

type Props = {
  item: AutomationItem | null;
  draft: DraftState;
  view: EditorView;
  onView: (view: EditorView) => void;
  saving: boolean;
  onSave: () => void;
  onPublish: () => void;
  onClose: () => void;
};

export function EditorHeader(props: Props) {
  const { item, draft } = props;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-4 py-2.5">
      <input
        aria-label={texts.editor.name}
        placeholder={texts.editor.namePlaceholder}
        value={draft.document.name}
        maxLength={200}
        onChange={(event) => draft.edit({ ...draft.document, name: event.target.value }, "name")}
        className="h-9 min-w-0 flex-1 basis-56 truncate rounded-md border border-transparent bg-transparent px-2 text-lg font-semibold tracking-tight hover:border-line focus:border-accent focus:outline-none max-md:-order-2"
      />
      {item && (
        <span className="flex items-center gap-1.5">
          <StatusBadge status={item.status} />
          <VersionBadge item={item} />
          {item.version !== null && (
            <Link
              to="/automations/$id/insights"
              params={{ id: item.id }}
              className="ml-1 inline-flex items-center gap-1 text-xs font-medium text-soft hover:text-ink"
            >
              <Gauge size={13} aria-hidden />
              {texts.insights.open}
            </Link>
          )}
        </span>
      )}
      <span role="status" className={cx("text-xs", draft.dirty ? "text-warn" : "text-faint")}>
        {draft.dirty ? texts.editor.unsaved : item ? texts.editor.allSaved : ""}
      </span>
      <span className="flex">
        <IconButton
          label={`${texts.actions.undo} (Ctrl Z)`}
          icon={<Undo2 size={15} />}
          disabled={!draft.canUndo}
          onClick={draft.undo}
        />
        <IconButton
          label={`${texts.actions.redo} (Ctrl Shift Z)`}
          icon={<Redo2 size={15} />}
          disabled={!draft.canRedo}
          onClick={draft.redo}
        />
      </span>
      <ViewSwitch view={props.view} onView={props.onView} />
      <span className="flex gap-2">
        <Button busy={props.saving} disabled={!draft.dirty && item !== null} onClick={props.onSave}>
          {texts.editor.saveDraft}
        </Button>
        <Button look="primary" busy={props.saving} onClick={props.onPublish}>
          {item && item.version !== null ? texts.editor.publish : texts.editor.publishOn}
        </Button>
      </span>
      <IconButton
        label={texts.actions.close}
        icon={<X size={16} />}
        className="max-md:-order-1"
        onClick={props.onClose}
      />
    </div>
  );
}

function ViewSwitch({ view, onView }: Pick<Props, "view" | "onView">) {
  return (
    <div
      role="radiogroup"
      aria-label={texts.editor.views}
      className="flex rounded-md border border-line bg-sunken p-0.5"
    >
      {(["build", "canvas", "json"] as const).map((one) => (
        <label
          key={one}
          className={cx(
            "flex h-[26px] cursor-pointer items-center rounded px-2.5 text-xs font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent",
            view === one ? "bg-surface text-ink shadow-card" : "text-soft hover:text-ink",
          )}
        >
          <input
            type="radio"
            name="editor-view"
            className="sr-only"
            checked={view === one}
            onChange={() => onView(one)}
          />
          {texts.editor[one]}
        </label>
      ))}
    </div>
  );
}
