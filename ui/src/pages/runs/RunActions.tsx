import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CirclePause, CirclePlay, CircleStop, RotateCw } from "lucide-react";
import { useState } from "react";
import { type RunAction, runs } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { Button } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { actionsOf, consequence } from "./actions";

const icons: Record<RunAction, React.ReactNode> = {
  pause: <CirclePause size={14} />,
  resume: <CirclePlay size={14} />,
  retry: <RotateCw size={14} />,
  cancel: <CircleStop size={14} />,
};

/** What can be done to the run now; each says first what will happen, and what will happen again. */
export function RunActions({ run }: { run: RunDetail }) {
  const client = useQueryClient();
  const say = useSay();
  const [asked, ask] = useState<RunAction | null>(null);
  const act = useMutation({
    mutationFn: (action: RunAction) => runs.act(run.id, action),
    onSuccess: (_, action) => {
      say.done(texts.runs.did[action]);
      return client.invalidateQueries({ queryKey: ["runs"] });
    },
    onError: (error, action) => say.failed(texts.errors.action(`${action} the run`), error),
    onSettled: () => ask(null),
  });
  return (
    <>
      {actionsOf(run).map((action) => (
        <Button
          key={action}
          look={action === "cancel" ? "danger" : "plain"}
          icon={icons[action]}
          onClick={() => ask(action)}
        >
          {texts.runs.act[action]}
        </Button>
      ))}
      {asked && (
        <Confirm
          title={texts.runs.ask[asked]}
          confirm={texts.runs.act[asked]}
          cancel={asked === "cancel" ? texts.runs.keep : undefined}
          danger={asked === "cancel"}
          busy={act.isPending}
          onCancel={() => ask(null)}
          onConfirm={() => act.mutate(asked)}
        >
          {consequence(run, asked)}
        </Confirm>
      )}
    </>
  );
}
