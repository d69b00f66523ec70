import type { Json } from "@/api/types";
import { Combobox } from "@/parts/Combobox";
import { Field, Select, TextInput } from "@/parts/Field";
import { numberOrText } from "@/schema-form/model";
import { texts } from "@/texts";
import { type Change, type ChangeKind, changeOf, withChange } from "../change";
import type { BodyProps } from "./EditorBody";
import { useEntityFields } from "./useSample";

/** A change of an entity: of which type, what happens to it, and of which field from and to which value. */
export function ChangeForm({ document, checks, onEdit, types }: BodyProps & { types: string[] }) {
  const change = changeOf(document, types);
  const fields = useEntityFields(change?.type ?? "");
  const error = checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message;
  if (!change) return null;
  const put = (changed: Partial<Change>) => onEdit(withChange(document, change, { ...change, ...changed }), "trigger");
  const value = (name: "from" | "to", label: string) => (
    <Field label={label}>
      {(control) => (
        <TextInput
          {...control}
          placeholder={texts.trigger.changeAny}
          disabled={!change.field}
          value={shown(change[name])}
          onChange={(event) =>
            put({ [name]: event.target.value === "" ? undefined : numberOrText(event.target.value) })
          }
        />
      )}
    </Field>
  );
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={texts.trigger.entityType} error={error} required>
          {(control) => (
            <Select {...control} value={change.type} onChange={(event) => put({ type: event.target.value, field: "" })}>
              {types.map((type) => (
                <option key={type}>{type}</option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={texts.trigger.change}>
          {(control) => (
            <Select
              {...control}
              value={change.kind}
              onChange={(event) => put({ kind: event.target.value as ChangeKind })}
            >
              {Object.entries(texts.trigger.changes).map(([kind, words]) => (
                <option key={kind} value={kind}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {change.kind === "updated" && (
        <div className="grid gap-4 sm:grid-cols-3">
          <Field label={texts.trigger.changeField} hint={texts.trigger.changeFieldHint}>
            {(control) => (
              <Combobox {...control} mono value={change.field} choices={fields} onChange={(field) => put({ field })} />
            )}
          </Field>
          {value("from", texts.trigger.changeFrom)}
          {value("to", texts.trigger.changeTo)}
        </div>
      )}
    </div>
  );
}

function shown(value: Json | undefined): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
