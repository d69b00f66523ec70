import { useQuery } from "@tanstack/react-query";
import { entityTypesQuery } from "@/api/entities";
import { Combobox } from "@/parts/Combobox";
import { Field, Select, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { type Each, eachOf, withEach } from "../schedule";
import type { SchedulePart } from "./ScheduleForm";
import { SegmentField } from "./SegmentField";
import { useEntityFields, useEntityType } from "./useSample";

type Whom = "nobody" | "each" | "segment";

/** For whom a schedule is: nobody, or each entity of a type or in a segment; or so many days from a date that each has. */
export function EachForm({ schedule, set, error }: SchedulePart) {
  const each = eachOf(schedule);
  const types = useQuery(entityTypesQuery).data ?? [];
  const ofSegment = useEntityType(each?.segment ?? "");
  const fields = useEntityFields(each?.type || ofSegment);
  const put = (changed: Partial<Each>) =>
    set(withEach(schedule, { ...(each ?? { type: "", segment: null, side: "", field: "", days: 7 }), ...changed }));
  const isDated = Boolean(each?.side);
  const choose = (whom: Whom) => {
    if (whom === "nobody") set(withEach(schedule, null));
    else put(whom === "each" ? { type: types[0]?.type ?? "", segment: null } : { type: "", segment: "" });
  };
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={texts.schedule.forWhom}>
          {(control) => (
            <Select
              {...control}
              value={!each ? "nobody" : each.segment === null ? "each" : "segment"}
              onChange={(event) => choose(event.target.value as Whom)}
            >
              {!isDated && <option value="nobody">{texts.schedule.nobody}</option>}
              <option value="each">{texts.schedule.eachOf}</option>
              <option value="segment">{texts.schedule.eachIn}</option>
            </Select>
          )}
        </Field>
        {each && each.segment === null && (
          <Field
            label={texts.trigger.entityType}
            error={error("each.type") ?? (isDated ? undefined : error("each"))}
            required
          >
            {(control) => (
              <Combobox
                {...control}
                value={each.type}
                choices={types.map((one) => ({ value: one.type, hint: one.count.toLocaleString() }))}
                onChange={(type) => put({ type })}
              />
            )}
          </Field>
        )}
        {each && each.segment !== null && (
          <SegmentField
            value={each.segment}
            hint={texts.trigger.segmentHint}
            error={error("each.segment") ?? (isDated ? undefined : error("each"))}
            onChange={(segment) => put({ segment })}
          />
        )}
      </div>
      {each?.side && (
        <div className="grid gap-4 sm:grid-cols-[1fr_1fr_2fr]">
          <Field label={texts.schedule.days} error={error(`each.${each.side}.days`)} required>
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
                value={each.side}
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
            error={error(`each.${each.side}.field`)}
            required
          >
            {(control) => (
              <Combobox {...control} mono value={each.field} choices={fields} onChange={(field) => put({ field })} />
            )}
          </Field>
        </div>
      )}
    </>
  );
}
