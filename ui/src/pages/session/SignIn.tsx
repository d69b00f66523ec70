import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { explainError, statusOf } from "@/api/client";
import { system } from "@/api/system";
import { Button } from "@/parts/Button";
import { Field, TextInput } from "@/parts/Field";
import { Logo } from "@/shell/Logo";
import { texts } from "@/texts";

export function SignIn() {
  const client = useQueryClient();
  const [key, setKey] = useState("");
  const signIn = useMutation({ mutationFn: system.signIn, onSuccess: () => client.resetQueries() });
  const error = signIn.error && (statusOf(signIn.error) === 401 ? texts.session.wrong : explainError(signIn.error));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(key.trim());
  };
  return (
    <main className="grid min-h-dvh place-items-center p-5">
      <form onSubmit={submit} className="card w-[400px] max-w-full p-7">
        <Logo size={34} />
        <h1 className="mt-4 text-xl font-semibold tracking-tight">{texts.session.title}</h1>
        <p className="mt-1 mb-5 text-sm text-soft">{texts.session.lead}</p>
        <Field label={texts.session.key} error={error}>
          {(control) => (
            <TextInput
              {...control}
              type="password"
              className="font-mono"
              placeholder="upk_…"
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary" className="mt-4 w-full" busy={signIn.isPending} disabled={!key.trim()}>
          {texts.session.signIn}
        </Button>
      </form>
    </main>
  );
}
