import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { automationQuery } from "@/api/automations";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { texts } from "@/texts";
import { documentOf } from "./editor/draft";
import { Editor } from "./editor/Editor";

export function EditAutomation() {
  const { id } = useParams({ from: "/automations/$id/edit" });
  const { sample, step, part } = useSearch({ from: "/automations/$id/edit" });
  const navigate = useNavigate();
  const item = useQuery(automationQuery(id));
  const close = () => void navigate({ to: "/automations" });
  if (!item.data) {
    return (
      <Dialog title={texts.automations.title} onClose={close}>
        {item.error ? (
          <div className="p-5">
            <ErrorNote what={texts.errors.load("this automation")} error={item.error} onRetry={() => item.refetch()} />
          </div>
        ) : (
          <SkeletonRows />
        )}
      </Dialog>
    );
  }
  return (
    <Editor
      key={id}
      item={item.data}
      start={documentOf(item.data)}
      sampleId={sample}
      place={{ step, part }}
      onClose={close}
      onCreated={() => undefined}
    />
  );
}
