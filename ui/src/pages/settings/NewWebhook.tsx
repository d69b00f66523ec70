import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { problemsOf } from "@/api/client";
import { type Scheme, webhooks, webhooksQuery } from "@/api/webhooks";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, Select, TextInput } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { texts } from "@/texts";
import { ShownOnce } from "./ShownOnce";

/** The vendors that give the secret; for the others one is made. */
const GIVEN: Scheme[] = ["stripe", "shopify", "slack"];

/** Makes a webhook, and shows its address and secret this one time. */
export function NewWebhook({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [event, setEvent] = useState("");
  const [nameFrom, setNameFrom] = useState("");
  const [scheme, setScheme] = useState<Scheme>("standard");
  const [header, setHeader] = useState("");
  const [secret, setSecret] = useState("");
  const create = useMutation({
    mutationFn: () =>
      webhooks.create({
        name: name.trim(),
        event: event.trim(),
        signature: { scheme, ...(scheme === "hmac" ? { header } : {}) },
        ...(nameFrom.trim() ? { name_from: nameFrom.trim() } : {}),
        ...(secret ? { secret } : {}),
      }),
    onSuccess: () => client.invalidateQueries(webhooksQuery),
  });
  if (create.data) return <ShownOnce hook={create.data} onClose={onClose} />;
  const problems = problemsOf(create.error);
  const error = (path: string) => problems.find((problem) => problem.path.startsWith(path))?.message;
  const text = (
    label: string,
    hint: string,
    path: string,
    value: string,
    set: (value: string) => void,
    required = false,
  ) => (
    <Field label={label} hint={hint} error={error(path)} required={required}>
      {(control) => <TextInput {...control} value={value} onChange={(changed) => set(changed.target.value)} />}
    </Field>
  );
  return (
    <Dialog
      title={texts.webhooks.new}
      focusField
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="primary" busy={create.isPending} disabled={!name.trim()} onClick={() => create.mutate()}>
            {texts.webhooks.create}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {create.error && problems.length === 0 && <ErrorNote error={create.error} />}
        {text(texts.keys.name, texts.webhooks.nameHint, "name", name, setName, true)}
        {text(texts.webhooks.event, texts.webhooks.eventHint, "event", event, setEvent)}
        {text(texts.webhooks.nameFrom, texts.webhooks.nameFromHint, "name_from", nameFrom, setNameFrom)}
        <Field label={texts.webhooks.signature} error={error("signature.scheme")}>
          {(control) => (
            <Select {...control} value={scheme} onChange={(changed) => setScheme(changed.target.value as Scheme)}>
              {Object.entries(texts.webhooks.schemes).map(([id, words]) => (
                <option key={id} value={id}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {scheme === "hmac" &&
          text(texts.webhooks.header, texts.webhooks.headerHint, "signature.header", header, setHeader, true)}
        {scheme !== "none" &&
          text(
            texts.webhooks.secret,
            GIVEN.includes(scheme) ? texts.webhooks.secretGiven : texts.webhooks.secretMade,
            "secret",
            secret,
            setSecret,
            GIVEN.includes(scheme),
          )}
      </div>
    </Dialog>
  );
}
