import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import {
  Archive,
  CirclePause,
  Copy,
  Download,
  Ellipsis,
  FlaskConical,
  Gauge,
  GitCompare,
  History,
  ListChecks,
  Pencil,
  Rewind,
  Rocket,
  Trash2,
  Zap,
} from "lucide-react";
import { useState } from "react";
import { nextDueQuery } from "@/api/automations";
import type { AutomationItem, Operator } from "@/api/types";
import { inWords } from "@/condition-builder/words";
import { IconButton } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { Menu } from "@/parts/Menu";
import { StatusBadge } from "@/parts/Status";
import { Switch } from "@/parts/Switch";
import { Cell, Folded, Row } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { Tip } from "@/parts/Tip";
import { texts } from "@/texts";
import { BacktestDialog } from "./BacktestDialog";
import { PublishDialog } from "./PublishDialog";
import { ReplayDialog } from "./ReplayDialog";
import { SuccessBar } from "./SuccessBar";
import { triggerWords } from "./trigger";
import { useRowActions } from "./useRowActions";
import { VersionBadge } from "./VersionBadge";
import { VersionsDialog } from "./VersionsDialog";

type Props = { item: AutomationItem; operators: Operator[]; eventTitle: string | null };

export function AutomationRow({ item, operators, eventTitle }: Props) {
  const navigate = useNavigate();
  const actions = useRowActions(item);
  const condition = inWords(item.condition, operators);
  const edit = () => void navigate({ to: "/automations/$id/edit", params: { id: item.id } });
  return (
    <Row onClick={edit}>
      <Cell>
        <Switch
          checked={item.status === "active"}
          label={texts.automations.switch(item.name)}
          disabled={actions.isSwitching}
          onChange={actions.turn}
        />
      </Cell>
      <Cell className="max-w-0">
        <Link
          to="/automations/$id/edit"
          params={{ id: item.id }}
          className="block truncate font-medium hover:text-accent-text"
        >
          {item.name}
        </Link>
        <p className="flex items-center gap-1.5 truncate text-xs text-soft">
          <Zap size={12} aria-hidden className="shrink-0 text-faint" />
          <span className="truncate" title={triggerWords(item.trigger)}>
            {eventTitle ??
              (item.trigger.event ? <code className="code">{item.trigger.event}</code> : triggerWords(item.trigger))}
            {item.trigger.schedule && <NextDue id={item.id} />}
            {condition && (
              <>
                <span className="text-faint"> {texts.automations.if} </span>
                {condition}
              </>
            )}
          </span>
        </p>
        <Folded>
          <LastRun item={item} />
        </Folded>
      </Cell>
      <Cell folds>
        <Priority value={item.priority} />
      </Cell>
      <Cell folds>
        <LastRun item={item} />
      </Cell>
      <Cell folds>
        <SuccessBar id={item.id} rate={item.success_rate} count={item.run_count} />
      </Cell>
      <Cell folds>
        <VersionBadge item={item} />
      </Cell>
      <Cell>
        <RowMenu item={item} actions={actions} onEdit={edit} />
      </Cell>
    </Row>
  );
}

/** When its schedule is due next. */
function NextDue({ id }: { id: string }) {
  const at = useQuery(nextDueQuery).data?.get(id);
  if (!at) return null;
  return (
    <span className="text-faint">
      {" "}
      · {texts.automations.next} <Ago at={at} />
    </span>
  );
}

function Priority({ value }: { value: number }) {
  return (
    <Tip text={texts.automations.priorityHint(value)}>
      <span className="inline-flex items-center gap-2">
        <span aria-hidden className="flex h-3 w-10 items-end gap-px">
          {[1, 3, 5, 7, 9].map((from, index) => (
            <span
              key={from}
              style={{ height: 4 + index * 2 }}
              className={value >= from ? "w-1.5 rounded-sm bg-accent" : "w-1.5 rounded-sm bg-line-strong"}
            />
          ))}
        </span>
        <span className="text-xs tabular-nums">{value}</span>
      </span>
    </Tip>
  );
}

function LastRun({ item }: { item: AutomationItem }) {
  if (!item.last_run) return <span className="text-xs text-faint">{texts.automations.neverRan}</span>;
  return (
    <Link to="/runs/$id" params={{ id: item.last_run.id }} className="inline-flex items-center gap-2 hover:underline">
      <StatusBadge status={item.last_run.status} />
      <span className="text-xs text-faint">
        <Ago at={item.last_run.at} />
      </span>
    </Link>
  );
}

function RowMenu({
  item,
  actions,
  onEdit,
}: {
  item: AutomationItem;
  actions: ReturnType<typeof useRowActions>;
  onEdit: () => void;
}) {
  const navigate = useNavigate();
  const [opened, open] = useState<"past" | "replay" | "versions" | "pause" | null>(null);
  const [publishing, publish] = useState<AutomationItem | null>(null);
  return (
    <>
      <Menu
        label={texts.automations.menu(item.name)}
        trigger={<IconButton label={texts.automations.menu(item.name)} icon={<Ellipsis size={16} />} />}
        entries={[
          { label: texts.actions.edit, icon: <Pencil size={14} />, onSelect: onEdit },
          {
            label: texts.actions.test,
            icon: <FlaskConical size={14} />,
            onSelect: () =>
              void navigate({ to: "/automations/$id/edit", params: { id: item.id }, search: { sample: "type" } }),
          },
          { label: texts.backtest.open, icon: <History size={14} />, onSelect: () => open("past") },
          {
            label: texts.replays.open,
            icon: <Rewind size={14} />,
            disabled: item.status !== "active" || !item.trigger.event,
            onSelect: () => open("replay"),
          },
          {
            label: texts.insights.open,
            icon: <Gauge size={14} />,
            onSelect: () => void navigate({ to: "/automations/$id/insights", params: { id: item.id } }),
          },
          { label: texts.versions.open, icon: <GitCompare size={14} />, onSelect: () => open("versions") },
          ...(item.version !== null && item.has_draft_changes
            ? [{ label: texts.publishing.draft, icon: <Rocket size={14} />, onSelect: () => publish(item) }]
            : []),
          {
            label: texts.automations.seeRuns,
            icon: <ListChecks size={14} />,
            onSelect: () => void navigate({ to: "/runs", search: { automation: item.id } }),
          },
          "line",
          { label: texts.actions.duplicate, icon: <Copy size={14} />, onSelect: actions.duplicate },
          { label: texts.actions.export, icon: <Download size={14} />, onSelect: actions.exportFile },
          "line",
          {
            label: texts.automations.pauseRuns,
            icon: <CirclePause size={14} />,
            disabled: item.status !== "active",
            onSelect: () => open("pause"),
          },
          {
            label: texts.automations.archive,
            icon: <Archive size={14} />,
            disabled: item.status === "archived",
            onSelect: actions.archive,
          },
          { label: texts.actions.delete, icon: <Trash2 size={14} />, danger: true, onSelect: actions.remove },
        ]}
      />
      {opened === "past" && <BacktestDialog item={item} onClose={() => open(null)} />}
      {opened === "replay" && <ReplayDialog item={item} onClose={() => open(null)} />}
      {opened === "versions" && (
        <VersionsDialog
          item={item}
          onClose={() => open(null)}
          onRestored={(restored) => {
            open(null);
            publish(restored);
          }}
        />
      )}
      {opened === "pause" && (
        <Confirm
          title={texts.automations.pauseRunsTitle(item.name)}
          confirm={texts.automations.pauseRuns}
          busy={actions.pauseAll.isPending}
          onCancel={() => open(null)}
          onConfirm={() => actions.pauseAll.mutate(undefined, { onSettled: () => open(null) })}
        >
          {texts.automations.pauseRunsHelp}
        </Confirm>
      )}
      {publishing && (
        <PublishDialog item={publishing} onClose={() => publish(null)} onPublished={() => publish(null)} />
      )}
    </>
  );
}
