import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "@/api/system";
import { texts } from "@/texts";
import { Combobox } from "./Combobox";
import { Field } from "./Field";

const zones = Intl.supportedValuesOf("timeZone").map((value) => ({ value }));

type Props = { value: string; error?: string; onChange: (zone: string | undefined) => void };

/** A time zone by its name; empty is the tenant's own. */
export function ZoneField({ value, error, onChange }: Props) {
  const own = useQuery(sessionQuery).data?.zone ?? "UTC";
  return (
    <Field label={texts.zone.label} hint={texts.zone.hint(own)} error={error}>
      {(control) => (
        <Combobox
          {...control}
          className="max-w-72"
          placeholder={own}
          value={value}
          choices={zones}
          onChange={(zone) => onChange(zone || undefined)}
        />
      )}
    </Field>
  );
}
