import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keysQuery, system } from "@/api/system";
import { Button } from "@/parts/Button";
import { CopyButton } from "@/parts/Copy";
import { Dialog } from "@/parts/Dialog";
import { Field, Select, TextInput } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { texts } from "@/texts";

/** Creates a key and shows it this one time. */
export function NewKey({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState("emitter");
  const create = useMutation({
    mutationFn: () => system.createKey({ name: name.trim(), role }),
    onSuccess: () => client.invalidateQueries(keysQuery),
  });
  if (create.data) {
    return (
      <Dialog
        title={texts.keys.onceTitle}
        light={false}
        onClose={onClose}
        footer={
          <Button look="primary" onClick={onClose}>
            {texts.keys.done}
          </Button>
        }
      >
        <div className="flex flex-col gap-3 p-5">
          <p className="text-sm text-soft">{texts.keys.once}</p>
          <div className="flex items-center gap-2 rounded-md border border-line bg-sunken p-2 pl-3">
            <code className="code min-w-0 flex-1 break-all">{create.data.key}</code>
            <CopyButton text={create.data.key}>{texts.actions.copy}</CopyButton>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={texts.keys.new}
      focusField
      size="sm"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="primary" busy={create.isPending} disabled={!name.trim()} onClick={() => create.mutate()}>
            {texts.keys.create}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {create.error && <ErrorNote error={create.error} />}
        <Field label={texts.keys.name} hint={texts.keys.nameHint} required>
          {(control) => <TextInput {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={texts.keys.role}>
          {(control) => (
            <Select {...control} value={role} onChange={(event) => setRole(event.target.value)}>
              {Object.entries(texts.keys.roles).map(([id, words]) => (
                <option key={id} value={id}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
    </Dialog>
  );
}
