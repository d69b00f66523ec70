import type { ShownWebhook } from "@/api/webhooks";
import { Button } from "@/parts/Button";
import { CopyButton } from "@/parts/Copy";
import { Dialog } from "@/parts/Dialog";
import { texts } from "@/texts";

/** The address and the secret of a webhook, as they are shown this one time. */
export function ShownOnce({ hook, onClose }: { hook: ShownWebhook; onClose: () => void }) {
  const shown = [
    [texts.webhooks.url, hook.url && new URL(hook.url, window.location.origin).href],
    [texts.webhooks.secret, hook.secret],
  ].flatMap(([label, text]) => (label && text ? [{ label, text }] : []));
  return (
    <Dialog
      title={texts.webhooks.onceTitle(hook.name)}
      light={false}
      onClose={onClose}
      footer={
        <Button look="primary" onClick={onClose}>
          {texts.keys.done}
        </Button>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        <p className="text-sm text-soft">{texts.webhooks.once}</p>
        {shown.map(({ label, text }) => (
          <div key={label}>
            <h3 className="mb-1 text-sm font-medium">{label}</h3>
            <div className="flex items-center gap-2 rounded-md border border-line bg-sunken p-2 pl-3">
              <code className="code min-w-0 flex-1 break-all">{text}</code>
              <CopyButton text={text}>{texts.actions.copy}</CopyButton>
            </div>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
