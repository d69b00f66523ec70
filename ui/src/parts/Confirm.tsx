import type { ReactNode } from "react";
import { texts } from "@/texts";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

type Props = {
  title: string;
  children: ReactNode;
  confirm: string;
  cancel?: string;
  danger?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onCancel: () => void;
};

export function Confirm({ title, children, confirm, cancel, danger, busy, onConfirm, onCancel }: Props) {
  return (
    <Dialog
      title={title}
      size="sm"
      onClose={onCancel}
      footer={
        <>
          <Button onClick={onCancel}>{cancel ?? texts.actions.cancel}</Button>
          <Button look={danger ? "danger" : "primary"} busy={busy} onClick={onConfirm}>
            {confirm}
          </Button>
        </>
      }
    >
      <div className="px-5 py-4 text-sm text-soft">{children}</div>
    </Dialog>
  );
}
