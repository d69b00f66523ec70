import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, KeyRound, Link2, Pencil, Plus, Trash2, Webhook as WebhookIcon } from "lucide-react";
import { useState } from "react";
import { SECRET_GIVEN, type ShownWebhook, type Webhook, webhooks, webhooksQuery } from "@/api/webhooks";
import { Button, IconButton } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { Field, TextInput } from "@/parts/Field";
import { Menu } from "@/parts/Menu";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { Switch } from "@/parts/Switch";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { SectionHead } from "./SectionHead";
import { ShownOnce } from "./ShownOnce";
import { WebhookDialog } from "./WebhookDialog";

const columns = [
  { title: texts.webhooks.columns.on, className: "w-16" },
  { title: texts.webhooks.columns.name },
  { title: texts.webhooks.columns.signature, folds: true, className: "w-40" },
  { title: texts.webhooks.columns.received, folds: true, className: "w-44" },
  { title: texts.webhooks.columns.menu, hidden: true, className: "w-14" },
];

/** The addresses at which other systems tell what happened. */
export function WebhooksPage() {
  const list = useQuery(webhooksQuery);
  const [creating, setCreating] = useState(false);
  const hooks = list.data ?? [];
  return (
    <>
      <SectionHead lead={texts.webhooks.lead}>
        <Button look="primary" icon={<Plus size={14} />} onClick={() => setCreating(true)}>
          {texts.webhooks.new}
        </Button>
      </SectionHead>
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows rows={3} />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the webhooks")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : hooks.length === 0 ? (
          <Empty icon={<WebhookIcon size={20} />} title={texts.webhooks.empty}>
            {texts.webhooks.emptyHelp}
          </Empty>
        ) : (
          <Table columns={columns} label={texts.settings.webhooks}>
            {hooks.map((hook) => (
              <WebhookRow key={hook.id} hook={hook} />
            ))}
          </Table>
        )}
      </div>
      {creating && <WebhookDialog hook={null} onClose={() => setCreating(false)} />}
    </>
  );
}

function WebhookRow({ hook }: { hook: Webhook }) {
  const client = useQueryClient();
  const say = useSay();
  const [shown, setShown] = useState<ShownWebhook | null>(null);
  const [asked, ask] = useState<"token" | "secret" | "delete" | null>(null);
  const [isEdited, edit] = useState(false);
  const [secret, setSecret] = useState("");
  const needsSecret = asked === "secret" && SECRET_GIVEN.includes(hook.signature.scheme);
  const renew = () => client.invalidateQueries(webhooksQuery);
  const turn = useMutation({
    mutationFn: (enabled: boolean) => webhooks.enable(hook, enabled),
    onSettled: renew,
    onError: (error) => say.failed(texts.errors.action(`switch “${hook.name}”`), error),
  });
  const change = useMutation({
    mutationFn: async (what: "token" | "secret" | "delete") => {
      if (what === "delete") return webhooks.delete(hook.id);
      const made = await webhooks.rotate(hook.id, what, needsSecret ? secret : undefined);
      if (made.url || made.secret) setShown(made);
    },
    onSuccess: renew,
    onError: (error) => say.failed(texts.errors.action(`change “${hook.name}”`), error),
    onSettled: () => {
      ask(null);
      setSecret("");
    },
  });
  return (
    <Row>
      <Cell>
        <Switch
          label={texts.webhooks.switch(hook.name)}
          checked={hook.enabled}
          disabled={turn.isPending}
          onChange={(on) => turn.mutate(on)}
        />
      </Cell>
      <Cell className="max-w-0">
        <span className="block truncate font-medium">{hook.name}</span>
        <span className="block truncate text-xs text-soft">
          <code className="code">{`${hook.event}${hook.name_from ? "…" : ""}`}</code>{" "}
          {hook.name_from && texts.webhooks.named(hook.name_from)}
        </span>
        <Folded>
          <LastTime hook={hook} />
        </Folded>
      </Cell>
      <Cell folds>
        <Badge tone={hook.signature.scheme === "none" ? "warn" : "idle"}>
          {texts.webhooks.schemes[hook.signature.scheme]}
        </Badge>
      </Cell>
      <Cell folds className="text-soft">
        <LastTime hook={hook} />
      </Cell>
      <Cell>
        <Menu
          label={texts.webhooks.menu(hook.name)}
          trigger={<IconButton label={texts.webhooks.menu(hook.name)} icon={<Ellipsis size={15} />} />}
          entries={[
            { label: texts.actions.edit, icon: <Pencil size={14} />, onSelect: () => edit(true) },
            { label: texts.webhooks.newToken, icon: <Link2 size={14} />, onSelect: () => ask("token") },
            {
              label: texts.webhooks.newSecret,
              icon: <KeyRound size={14} />,
              disabled: !hook.has_secret,
              onSelect: () => ask("secret"),
            },
            "line",
            { label: texts.actions.delete, icon: <Trash2 size={14} />, danger: true, onSelect: () => ask("delete") },
          ]}
        />
        {asked && (
          <Confirm
            danger={asked === "delete"}
            title={texts.webhooks.asks[asked].title(hook.name)}
            confirm={texts.webhooks.asks[asked].confirm}
            busy={change.isPending}
            onCancel={() => ask(null)}
            onConfirm={() => change.mutate(asked)}
          >
            {needsSecret ? (
              <Field label={texts.webhooks.secret} hint={texts.webhooks.asks.secret.given} required>
                {(control) => (
                  <TextInput {...control} value={secret} onChange={(event) => setSecret(event.target.value)} />
                )}
              </Field>
            ) : (
              texts.webhooks.asks[asked].help
            )}
          </Confirm>
        )}
        {isEdited && <WebhookDialog hook={hook} onClose={() => edit(false)} />}
        {shown && <ShownOnce hook={shown} onClose={() => setShown(null)} />}
      </Cell>
    </Row>
  );
}

/** When a delivery came last; and why the last one was refused, when that was later. */
function LastTime({ hook }: { hook: Webhook }) {
  const { last_received_at: received, last_refused_at: refused } = hook;
  if (refused && (!received || refused >= received)) {
    return (
      <span className="text-bad" title={hook.last_refused_why ?? undefined}>
        {texts.webhooks.refused} <Ago at={refused} />
      </span>
    );
  }
  return received ? <Ago at={received} /> : <span className="text-faint">{texts.webhooks.never}</span>;
}
