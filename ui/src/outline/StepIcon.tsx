import {
  Bell,
  Clock,
  CodeXml,
  Dices,
  FileText,
  GitBranch,
  Inbox,
  ListTodo,
  Mail,
  MessageSquare,
  NotebookPen,
  OctagonX,
  Pencil,
  Plus,
  Radio,
  Repeat,
  ScrollText,
  Send,
  Split,
  SquarePen,
  SquarePlus,
  Tag,
  UserPen,
  Webhook,
  Workflow,
  Zap,
} from "lucide-react";
import { cx } from "@/parts/classes";
import type { StepKind } from "./model";

// Actions name an icon; those we do not draw get the lightning.
const byName: Record<string, typeof Zap> = {
  mail: Mail,
  email: Mail,
  "message-square": MessageSquare,
  sms: MessageSquare,
  "file-text": FileText,
  note: FileText,
  task: ListTodo,
  "list-todo": ListTodo,
  tag: Tag,
  webhook: Webhook,
  send: Send,
  bell: Bell,
  pencil: Pencil,
  edit: Pencil,
  plus: Plus,
  "square-plus": SquarePlus,
  clock: Clock,
  "notebook-pen": NotebookPen,
  radio: Radio,
  "square-pen": SquarePen,
  "user-pen": UserPen,
  "scroll-text": ScrollText,
  code: CodeXml,
};

const guesses: [RegExp, typeof Zap][] = [
  [/email|mail/, Mail],
  [/sms|message/, MessageSquare],
  [/note/, FileText],
  [/task/, ListTodo],
  [/tag/, Tag],
  [/webhook|http|call/, Webhook],
  [/emit|event/, Send],
  [/notif/, Bell],
  [/update/, Pencil],
  [/create/, SquarePlus],
];

export function actionIcon(icon: string | null | undefined, action: string | null | undefined): typeof Zap {
  const named = icon ? byName[icon] : undefined;
  return named ?? guesses.find(([pattern]) => pattern.test(action ?? ""))?.[1] ?? Zap;
}

const kinds: Record<Exclude<StepKind, "action">, typeof Zap> = {
  branch: GitBranch,
  call: Workflow,
  delay: Clock,
  for_each: Repeat,
  parallel: Split,
  split: Dices,
  stop: OctagonX,
  wait_for_event: Inbox,
  other: Zap,
};
const tints: Record<StepKind, string> = {
  action: "bg-accent-wash text-accent-text",
  branch: "bg-warn-wash text-warn",
  call: "bg-accent-wash text-accent-text",
  delay: "bg-info-wash text-info",
  for_each: "bg-accent-wash text-accent-text",
  parallel: "bg-warn-wash text-warn",
  split: "bg-warn-wash text-warn",
  stop: "bg-idle-wash text-soft",
  wait_for_event: "bg-info-wash text-info",
  other: "bg-idle-wash text-soft",
};

export function StepIcon({
  kind,
  action,
  icon,
  size = 26,
}: {
  kind: StepKind;
  action?: string | null;
  icon?: string | null;
  size?: number;
}) {
  const Icon = kind === "action" ? actionIcon(icon, action) : (kinds[kind] ?? Zap); // a run may have kinds that no document has
  return (
    <span
      aria-hidden
      style={{ width: size, height: size }}
      className={cx("grid shrink-0 place-items-center rounded-md", tints[kind] ?? tints.other)}
    >
      <Icon size={Math.round(size * 0.55)} />
    </span>
  );
}
