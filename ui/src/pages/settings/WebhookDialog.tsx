import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { problemsOf } from "@/api/client";
import {
  type Scheme,
  SECRET_GIVEN,
  type Signature,
  type Webhook,
  type WebhookSettings,
  webhooks,
  webhooksQuery,
} from "@/api/webhooks";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, Select, TextInput } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { texts } from "@/texts";
import { ShownOnce } from "./ShownOnce";

const usual: WebhookSettings = {
  name: "",
  event: "",
  name_from: null,
  data_from: "",
  id_from: null,
  signature: {
    scheme: "standard",
    header: "",
    encoding: "hex",
    prefix: "",
    timestamp_header: "",
    tolerance_seconds: 300,
  },
};

/** Makes a webhook, and shows its address and secret this one time; or changes what one that is there takes. */
export function WebhookDialog({ hook, onClose }: { hook: Webhook | null; onClose: () => void }) {
  const client = useQueryClient();
  const [said, say] = useState<WebhookSettings>(() => (hook ? settingsOf(hook) : usual));
  const [secret, setSecret] = useState("");
  const renew = () => client.invalidateQueries(webhooksQuery);
  const create = useMutation({
    mutationFn: () => webhooks.create({ ...said, ...(secret ? { secret } : {}) }),
    onSuccess: renew,
  });
  const save = useMutation({
    mutationFn: (present: Webhook) => webhooks.save(present, said),
    onSuccess: async () => {
      await renew(); // opened again, it shows what was saved, and stands on that revision
      onClose();
    },
  });
  if (create.data) return <ShownOnce hook={create.data} onClose={onClose} />;
  const failed = create.error ?? save.error;
  const problems = problemsOf(failed);
  const form: Form = {
    said,
    set: (changed) => say({ ...said, ...changed }),
    error: (path) => problems.find((problem) => problem.path.startsWith(path))?.message,
  };
  const { scheme } = said.signature;
  const isGiven = SECRET_GIVEN.includes(scheme);
  return (
    <Dialog
      title={hook ? texts.webhooks.edit(hook.name) : texts.webhooks.new}
      focusField
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button
            look="primary"
            busy={create.isPending || save.isPending}
            disabled={!said.name.trim()}
            onClick={() => (hook ? save.mutate(hook) : create.mutate())}
          >
            {hook ? texts.webhooks.save : texts.webhooks.create}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {failed && problems.length === 0 && <ErrorNote error={failed} />}
        <Said {...form} name="name" label={texts.keys.name} hint={texts.webhooks.nameHint} required />
        <Said {...form} name="event" label={texts.webhooks.event} hint={texts.webhooks.eventHint} />
        <Said {...form} name="name_from" label={texts.webhooks.nameFrom} hint={texts.webhooks.nameFromHint} />
        <SignatureFields {...form} isNew={hook === null} />
        {!hook && scheme !== "none" && (
          <Field
            label={texts.webhooks.secret}
            hint={isGiven ? texts.webhooks.secretGiven : texts.webhooks.secretMade}
            error={form.error("secret")}
            required={isGiven}
          >
            {(control) => <TextInput {...control} value={secret} onChange={(event) => setSecret(event.target.value)} />}
          </Field>
        )}
        <details open={Boolean(said.data_from || said.id_from)}>
          <summary className="cursor-pointer text-sm font-medium">{texts.webhooks.more}</summary>
          <div className="mt-3 flex flex-col gap-4">
            <Said {...form} name="data_from" label={texts.webhooks.dataFrom} hint={texts.webhooks.dataFromHint} />
            <Said {...form} name="id_from" label={texts.webhooks.idFrom} hint={texts.webhooks.idFromHint} />
          </div>
        </details>
      </div>
    </Dialog>
  );
}

function settingsOf({ name, event, name_from, data_from, id_from, signature }: Webhook): WebhookSettings {
  return { name, event, name_from, data_from, id_from, signature };
}

type Form = {
  said: WebhookSettings;
  set: (changed: Partial<WebhookSettings>) => void;
  /** What is wrong with this field. */
  error: (path: string) => string | undefined;
};

type SaidProps = Form & {
  name: "name" | "event" | "name_from" | "data_from" | "id_from";
  label: string;
  hint: string;
  required?: boolean;
};

function Said({ said, set, error, name, label, hint, required }: SaidProps) {
  const left = name === "name_from" || name === "id_from" ? null : "";
  return (
    <Field label={label} hint={hint} error={error(name)} required={required}>
      {(control) => (
        <TextInput
          {...control}
          value={said[name] ?? ""}
          onChange={(event) => set({ [name]: event.target.value.trim() ? event.target.value : left })}
        />
      )}
    </Field>
  );
}

/** Whether deliveries of this kind say when they were signed. */
function isTimed({ scheme, timestamp_header }: Signature): boolean {
  return ["standard", "stripe", "slack"].includes(scheme) || (scheme === "hmac" && timestamp_header !== "");
}

function SignatureFields({ said, set, error, isNew }: Form & { isNew: boolean }) {
  const { signature } = said;
  const put = (changed: Partial<Signature>) => set({ signature: { ...signature, ...changed } });
  const at = (name: keyof Signature, label: string, hint: string, more: { required?: boolean } = {}): ReactNode => (
    <Field label={label} hint={hint} error={error(`signature.${name}`)} {...more}>
      {(control) => (
        <TextInput
          {...control}
          value={String(signature[name])}
          onChange={(event) => put({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      <Field label={texts.webhooks.signature} error={error("signature.scheme")}>
        {(control) => (
          <Select
            {...control}
            value={signature.scheme}
            disabled={!isNew}
            onChange={(event) => set({ signature: { ...usual.signature, scheme: event.target.value as Scheme } })}
          >
            {Object.entries(texts.webhooks.schemes).map(([id, words]) => (
              <option key={id} value={id}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {signature.scheme === "hmac" && (
        <div className="grid gap-4 sm:grid-cols-2">
          {at("header", texts.webhooks.header, texts.webhooks.headerHint, { required: true })}
          <Field label={texts.webhooks.encoding} error={error("signature.encoding")}>
            {(control) => (
              <Select
                {...control}
                value={signature.encoding}
                onChange={(event) => put({ encoding: event.target.value as Signature["encoding"] })}
              >
                <option value="hex">hex</option>
                <option value="base64">base64</option>
              </Select>
            )}
          </Field>
          {at("prefix", texts.webhooks.prefix, texts.webhooks.prefixHint)}
          {at("timestamp_header", texts.webhooks.timestampHeader, texts.webhooks.timestampHeaderHint)}
        </div>
      )}
      {isTimed(signature) && (
        <Field
          label={texts.webhooks.tolerance}
          hint={texts.webhooks.toleranceHint}
          error={error("signature.tolerance_seconds")}
        >
          {(control) => (
            <TextInput
              {...control}
              type="number"
              min={1}
              max={86_400}
              className="max-w-36"
              value={String(signature.tolerance_seconds)}
              onChange={(event) => put({ tolerance_seconds: Number(event.target.value) })}
            />
          )}
        </Field>
      )}
    </>
  );
}
