import type { Json, JsonObject, JsonSchema, Problem } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { Field } from "@/parts/Field";
import { texts } from "@/texts";
import { FieldControl } from "./FieldControl";
import { InsertData } from "./InsertData";
import { type FormField, formFields, placeholder } from "./model";

type Props = {
  schema: JsonSchema | null | undefined;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  facts: Fact[];
  problems: Problem[];
  /** The path of this object in the document: `steps[0].with`. */
  at: string;
};

/** A form drawn from a JSON Schema. Every field takes a fixed value or one filled in from data. */
export function SchemaForm({ schema, value, onChange, facts, problems, at }: Props) {
  const set = (name: string, inner: Json | undefined) => {
    const { [name]: _, ...rest } = value;
    onChange(inner === undefined ? rest : { ...value, [name]: inner });
  };
  return (
    <div className="flex flex-col gap-4">
      {formFields(schema).map((field) =>
        field.kind === "object" ? (
          <fieldset key={field.name} className="rounded-lg border border-line p-3">
            <legend className="px-1 text-sm font-medium">{field.title}</legend>
            <SchemaForm
              schema={field.schema}
              value={asObject(value[field.name])}
              onChange={(inner) => set(field.name, inner)}
              facts={facts}
              problems={problems}
              at={`${at}.${field.name}`}
            />
          </fieldset>
        ) : (
          <OneField
            key={field.name}
            field={field}
            value={value[field.name]}
            facts={facts}
            error={errorAt(problems, `${at}.${field.name}`)}
            onChange={(inner) => set(field.name, inner)}
          />
        ),
      )}
      <Extra schema={schema} value={value} problems={problems} at={at} />
    </div>
  );
}

function asObject(value: Json | undefined): JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function errorAt(problems: Problem[], path: string): string | null {
  const found = problems.find(
    (problem) => problem.path === path || problem.path.startsWith(`${path}.`) || problem.path.startsWith(`${path}[`),
  );
  return found?.message ?? null;
}

type OneProps = {
  field: FormField;
  value: Json | undefined;
  facts: Fact[];
  error: string | null;
  onChange: (value: Json | undefined) => void;
};

export function OneField({ field, value, facts, error, onChange }: OneProps) {
  const insertable =
    field.kind === "text" ||
    field.kind === "textarea" ||
    field.kind === "number" ||
    field.kind === "choice" ||
    field.kind === "boolean";
  const insert = (path: string) => {
    const adds = (field.kind === "text" || field.kind === "textarea") && typeof value === "string" && value !== "";
    onChange(adds ? `${value}${/\s$/.test(value) ? "" : " "}${placeholder(path)}` : placeholder(path));
  };
  return (
    <Field
      label={field.title}
      hint={field.help ?? undefined}
      required={field.required}
      error={error}
      aside={insertable && <InsertData label={texts.form.insertInto(field.title)} facts={facts} onPick={insert} />}
    >
      {(control) => <FieldControl {...{ field, value, facts, control, error, onChange }} />}
    </Field>
  );
}

/** Problems with arguments the schema does not know have no field to stand at. */
function Extra({ schema, value, problems, at }: Pick<Props, "schema" | "value" | "problems" | "at">) {
  const known = new Set(formFields(schema).map((field) => field.name));
  const stray = Object.keys(value).filter((name) => !known.has(name));
  const own = problems.filter(
    (problem) => problem.path === at || stray.some((name) => problem.path === `${at}.${name}`),
  );
  return own.map((problem) => (
    <p key={`${problem.path}${problem.message}`} className="text-xs text-bad">
      <code className="code">{problem.path}</code> {problem.message}
    </p>
  ));
}
