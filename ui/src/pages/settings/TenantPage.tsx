import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { problemsOf } from "@/api/client";
import { sessionQuery, system, tenantQuery } from "@/api/system";
import type { Tenant } from "@/api/types";
import { Button } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { Field, TextInput } from "@/parts/Field";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Card } from "@/parts/Page";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { SectionHead } from "./SectionHead";

const zones: string[] = ["UTC", ...Intl.supportedValuesOf("timeZone")];
const zoneChoices = zones.map((value) => ({ value }));

export function TenantPage() {
  const id = useQuery(sessionQuery).data?.tenant ?? "";
  const tenant = useQuery({ ...tenantQuery(id), enabled: id !== "" });
  return (
    <>
      <SectionHead lead={texts.tenant.lead} />
      {tenant.data ? (
        <TenantForm key={tenant.data.id} tenant={tenant.data} />
      ) : tenant.error ? (
        <ErrorNote what={texts.errors.load("the tenant")} error={tenant.error} onRetry={() => tenant.refetch()} />
      ) : (
        <Card>
          <SkeletonRows rows={3} />
        </Card>
      )}
    </>
  );
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

function TenantForm({ tenant }: { tenant: Tenant }) {
  const client = useQueryClient();
  const say = useSay();
  const [name, setName] = useState(tenant.name);
  const [zone, setZone] = useState(textOf(tenant.settings.zone) || "UTC");
  const [locale, setLocale] = useState(textOf(tenant.settings.locale));
  const save = useMutation({
    mutationFn: () =>
      system.patchTenant(tenant.id, { name, settings: { ...tenant.settings, zone, ...(locale ? { locale } : {}) } }),
    onSuccess: (saved) => {
      say.done(texts.tenant.saved);
      client.setQueryData(tenantQuery(tenant.id).queryKey, saved);
      return client.invalidateQueries(sessionQuery);
    },
  });
  const error = (end: string) => problemsOf(save.error).find((problem) => problem.path.endsWith(end))?.message;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Card className="max-w-xl overflow-visible!">
      <form onSubmit={submit} className="flex flex-col gap-4">
        {save.error && <ErrorNote error={save.error} />}
        <Field label={texts.tenant.id}>
          {(control) => <TextInput {...control} className="font-mono text-xs!" value={tenant.id} disabled />}
        </Field>
        <Field label={texts.tenant.name} error={error("name")}>
          {(control) => <TextInput {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={texts.tenant.zone} hint={texts.tenant.zoneHint} error={error("zone")}>
          {(control) => <Combobox {...control} value={zone} choices={zoneChoices} onChange={setZone} />}
        </Field>
        <Field label={texts.tenant.locale} hint={texts.tenant.localeHint} error={error("locale")}>
          {(control) => <TextInput {...control} value={locale} onChange={(event) => setLocale(event.target.value)} />}
        </Field>
        <span>
          <Button type="submit" look="primary" busy={save.isPending}>
            {texts.actions.save}
          </Button>
        </span>
      </form>
    </Card>
  );
}
