import { useQuery } from "@tanstack/react-query";
import { entityTypesQuery } from "@/api/entities";
import { Combobox } from "@/parts/Combobox";
import { Field, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { type Each, eachOf, withEach } from "../schedule";
import type { SchedulePart } from "./ScheduleForm";
import { useEntityFields } from "./useSample";

/** For whom a schedule is: one run each time, or one for each entity; or so many days from a date that each has. */
export function EachForm({ schedule, set, error }: SchedulePart) {
  const each = eachOf(schedule);
  const types = useQuery(entityTypesQuery).data ?? [];
  const fields = useEntityFields(each?.type ?? "");
  const put = (changed: Partial<Each>) =>
    set(withEach(schedule, { ...(each ?? { type: "", side: "", field: "", days: 7 }), ...changed }));
  const typeField = (
    <Field
      label={texts.trigger.entityType}
      error={error("each.type") ?? (each?.side ? undefined : error("each"))}
      required
    >
      {(control) => (
        <Combobox
          {...control}
          className="max-w-72"
          value={each?.type ?? ""}
          choices={types.map((one) => ({ value: one.type, hint: one.count.toLocaleString() }))}
          onChange={(type) => put({ type })}
        />
      )}
    </Field>
  );
  if (each?.side) {
    const { side } = each;
    return (
      <>
        {typeField}
        <div className="grid gap-4 sm:grid-cols-[1fr_1fr_2fr]">
          <Field label={texts.schedule.days} error={error(`each.${side}.days`)} required>
            {(control) => (
              <TextInput
                {...control}
                type="number"
                min={0}
                max={3650}
                value={String(each.days)}
                onChange={(event) => put({ days: event.target.value === "" ? null : Number(event.target.value) })}
              />
            )}
          </Field>
          <Field label={texts.schedule.side}>
            {(control) => (
              <Select
                {...control}
                value={side}
                onChange={(event) => put({ side: event.target.value as "before" | "after" })}
              >
                <option value="before">{texts.schedule.sides.before}</option>
                <option value="after">{texts.schedule.sides.after}</option>
              </Select>
            )}
          </Field>
          <Field
            label={texts.schedule.field}
            hint={texts.schedule.fieldHint}
            error={error(`each.${side}.field`)}
            required
          >
            {(control) => (
              <Combobox {...control} mono value={each.field} choices={fields} onChange={(field) => put({ field })} />
            )}
          </Field>
        </div>
      </>
    );
  }
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label={texts.schedule.forWhom}>
        {(control) => (
          <Select
            {...control}
            value={each ? "each" : "nobody"}
            onChange={(event) =>
              event.target.value === "each" ? put({ type: types[0]?.type ?? "" }) : set(withEach(schedule, null))
            }
          >
            <option value="nobody">{texts.schedule.nobody}</option>
            <option value="each">{texts.schedule.eachOf}</option>
          </Select>
        )}
      </Field>
      {each && typeField}
    </div>
  );
}
