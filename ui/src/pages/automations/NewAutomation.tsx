import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { emptyDocument } from "./editor/draft";
import { Editor } from "./editor/Editor";

export function NewAutomation() {
  const navigate = useNavigate();
  const { event, sample } = useSearch({ from: "/automations/new" });
  const start = useMemo(() => (event ? { ...emptyDocument, trigger: { event } } : emptyDocument), [event]);
  return (
    <Editor
      item={null}
      start={start}
      sampleId={sample}
      onClose={() => void navigate({ to: "/automations" })}
      onCreated={(item, search) =>
        void navigate({ to: "/automations/$id/edit", params: { id: item.id }, search, replace: true })
      }
    />
  );
}
