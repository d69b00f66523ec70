import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { automations } from "@/api/automations";
import type { AutomationItem } from "@/api/types";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

/** What can be done to an automation from its row. Deleting can be undone. */
export function useRowActions(item: AutomationItem) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const refresh = () => client.invalidateQueries({ queryKey: ["automations"] });
  const turn = useMutation({
    mutationFn: (on: boolean) => {
      if (!on) return automations.pause(item.id);
      return item.version === null ? automations.publish(item.id) : automations.activate(item.id);
    },
    onSuccess: (_, on) => {
      say.done(on ? texts.automations.turnedOn(item.name) : texts.automations.turnedOff(item.name));
      return refresh();
    },
    onError: (error, on) => say.failed(texts.errors.action(`turn “${item.name}” ${on ? "on" : "off"}`), error),
  });
  const undelete = useMutation({
    mutationFn: () => automations.undelete(item.id),
    onSuccess: () => {
      say.done(texts.automations.restored(item.name));
      return refresh();
    },
    onError: (error) => say.failed(texts.errors.action(`bring back “${item.name}”`), error),
  });
  const remove = useMutation({
    mutationFn: () => automations.delete(item.id),
    onSuccess: () => {
      say.done(texts.automations.deleted(item.name), { label: texts.actions.undo, run: () => undelete.mutate() });
      return refresh();
    },
    onError: (error) => say.failed(texts.errors.action(`delete “${item.name}”`), error),
  });
  const archive = useMutation({
    mutationFn: () => automations.archive(item.id),
    onSuccess: () => {
      say.done(texts.automations.archived(item.name));
      return refresh();
    },
    onError: (error) => say.failed(texts.errors.action(`archive “${item.name}”`), error),
  });
  const pauseAll = useMutation({
    mutationFn: () => automations.pause(item.id, true),
    onSuccess: () => {
      say.done(texts.automations.pausedRuns(item.name));
      void client.invalidateQueries({ queryKey: ["runs"] });
      return refresh();
    },
    onError: (error) => say.failed(texts.errors.action(`pause “${item.name}”`), error),
  });
  const duplicate = useMutation({
    mutationFn: () => automations.duplicate(item.id),
    onSuccess: (copy) => {
      say.done(texts.automations.duplicated(copy.name));
      void navigate({ to: "/automations/$id/edit", params: { id: copy.id } });
      return refresh();
    },
    onError: (error) => say.failed(texts.errors.action(`duplicate “${item.name}”`), error),
  });
  const exportFile = useMutation({
    mutationFn: () => automations.export(item.id),
    onSuccess: (document) => download(`${item.name.replaceAll(/[^\w-]+/g, "-").toLowerCase()}.json`, document),
    onError: (error) => say.failed(texts.errors.action(`export “${item.name}”`), error),
  });
  return {
    turn: (on: boolean) => turn.mutate(on),
    isSwitching: turn.isPending,
    archive: () => archive.mutate(),
    pauseAll,
    remove: () => remove.mutate(),
    duplicate: () => duplicate.mutate(),
    exportFile: () => exportFile.mutate(),
  };
}

function download(name: string, value: unknown) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
