import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Zap } from "lucide-react";
import { automationNamesQuery } from "@/api/automations";
import { events, eventTypesQuery } from "@/api/events";
import type { EventType } from "@/api/types";
import { Button } from "@/parts/Button";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { sampleToFire } from "./sample";

/** Emits a real event with sample data and opens it, so that the runs it starts can be watched. */
export function FireSample({ look = "primary", size = "md" }: { look?: "primary" | "plain"; size?: "sm" | "md" }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const types = useQuery(eventTypesQuery).data ?? [];
  const automations = useQuery(automationNamesQuery).data?.items ?? [];
  const type = sampleToFire(types, automations);
  const fire = useMutation({
    mutationFn: (chosen: EventType) => events.emit({ name: chosen.name, data: chosen.sample ?? {} }),
    onSuccess: (answer, chosen) => {
      say.done(texts.home.fired(chosen.title ?? chosen.name));
      const id = answer.ids[0];
      if (id) void navigate({ to: "/events/$id", params: { id } });
      return client.invalidateQueries();
    },
    onError: (error) => say.failed(texts.errors.action("send the sample event"), error),
  });
  if (!type) return null;
  return (
    <Button look={look} size={size} icon={<Zap size={14} />} busy={fire.isPending} onClick={() => fire.mutate(type)}>
      {texts.home.fire}
    </Button>
  );
}
