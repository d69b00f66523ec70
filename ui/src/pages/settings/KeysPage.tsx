import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { keysQuery, system } from "@/api/system";
import type { ApiKey } from "@/api/types";
import { Button } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { Cell, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { NewKey } from "./NewKey";
import { SectionHead } from "./SectionHead";

const columns = [
  { title: texts.keys.columns.name },
  { title: texts.keys.columns.role, className: "w-32" },
  { title: texts.keys.columns.created, folds: true, className: "w-40" },
  { title: texts.keys.columns.used, folds: true, className: "w-40" },
  { title: texts.keys.columns.menu, hidden: true, className: "w-28" },
];

export function KeysPage() {
  const list = useQuery(keysQuery);
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const keys = list.data?.filter((key) => !key.revoked_at) ?? [];
  return (
    <>
      <SectionHead lead={texts.keys.lead}>
        <Button look="primary" icon={<Plus size={14} />} onClick={() => setCreating(true)}>
          {texts.keys.new}
        </Button>
      </SectionHead>
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows rows={3} />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the keys")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : keys.length === 0 ? (
          <Empty icon={<KeyRound size={20} />} title={texts.keys.empty}>
            {texts.keys.emptyHelp}
          </Empty>
        ) : (
          <Table columns={columns} label={texts.settings.keys}>
            {keys.map((key) => (
              <Row key={key.id}>
                <Cell className="font-medium">
                  {key.name}
                  {key.prefix && <code className="code ml-2 text-faint">{key.prefix}…</code>}
                </Cell>
                <Cell>
                  <Badge>{key.role}</Badge>
                </Cell>
                <Cell folds className="text-soft">
                  <Ago at={key.created_at} />
                </Cell>
                <Cell folds className="text-soft">
                  {key.last_used_at ? <Ago at={key.last_used_at} /> : texts.keys.never}
                </Cell>
                <Cell className="text-right">
                  <Button
                    size="sm"
                    look="danger"
                    aria-label={`${texts.keys.revoke} ${key.name}`}
                    onClick={() => setRevoking(key)}
                  >
                    {texts.keys.revoke}
                  </Button>
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </div>
      {creating && <NewKey onClose={() => setCreating(false)} />}
      {revoking && <Revoke apiKey={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const client = useQueryClient();
  const say = useSay();
  const revoke = useMutation({
    mutationFn: () => system.revokeKey(apiKey.id),
    onSuccess: () => {
      say.done(texts.keys.revoked(apiKey.name));
      return client.invalidateQueries(keysQuery);
    },
    onError: (error) => say.failed(texts.errors.action(`revoke “${apiKey.name}”`), error),
    onSettled: onClose,
  });
  return (
    <Confirm
      danger
      title={texts.keys.revokeTitle(apiKey.name)}
      confirm={texts.keys.revoke}
      busy={revoke.isPending}
      onCancel={onClose}
      onConfirm={() => revoke.mutate()}
    >
      {texts.keys.revokeHelp}
    </Confirm>
  );
}
