import type { BulkAction, BulkOptions, BulkRuns } from "@/api/runs";
import { Field, FieldError, Select, TextArea, TextInput } from "@/parts/Field";
import { texts } from "@/texts";
import { effectWords } from "./bulk";

const said = texts.runs.bulk;
const LINES_MAX = 12;

/** What a person may say of it beside what to do. Numbers and texts as they are typed. */
export type Typed = { step: string; output: string; from: string; version: "current" | "same" };
export const untouched: Typed = { step: "", output: "null", from: "", version: "current" };

/** What the server is sent of it: only what goes with the action. */
export function optionsOf(action: BulkAction, typed: Typed): BulkOptions {
  if (action === "skip") {
    const output = JSON.parse(typed.output);
    return { ...(typed.step.trim() && { step: typed.step.trim() }), ...(output !== null && { output }) };
  }
  if (action !== "rerun") return {};
  return { version: typed.version, ...(typed.from.trim() && { from_step: typed.from.trim() }) };
}

type Props = { action: BulkAction; typed: Typed; jsonError: string | null; onChange: (typed: Typed) => void };

/** The fields of a skip, or of running again; none for the others. */
export function BulkFields({ action, typed, jsonError, onChange }: Props) {
  if (action === "skip") {
    return (
      <>
        <Field label={texts.runs.skipWhich} hint={said.skipStepHint}>
          {(field) => (
            <TextInput
              {...field}
              value={typed.step}
              onChange={(event) => onChange({ ...typed, step: event.target.value })}
            />
          )}
        </Field>
        <Field label={texts.runs.skipOutput}>
          {(field) => (
            <TextArea
              {...field}
              rows={3}
              spellCheck={false}
              className="code"
              value={typed.output}
              onChange={(event) => onChange({ ...typed, output: event.target.value })}
            />
          )}
        </Field>
        {jsonError && <FieldError>{jsonError}</FieldError>}
      </>
    );
  }
  if (action !== "rerun") return null;
  return (
    <>
      <Field label={texts.runs.rerunFrom} hint={said.fromHint}>
        {(field) => (
          <TextInput
            {...field}
            placeholder={texts.runs.rerunBeginning}
            value={typed.from}
            onChange={(event) => onChange({ ...typed, from: event.target.value })}
          />
        )}
      </Field>
      <Field label={texts.runs.rerunVersion}>
        {(field) => (
          <Select
            {...field}
            value={typed.version}
            onChange={(event) => onChange({ ...typed, version: event.target.value as Typed["version"] })}
          >
            <option value="current">{texts.runs.rerunVersions.current}</option>
            <option value="same">{said.versionSame}</option>
          </Select>
        )}
      </Field>
    </>
  );
}

/** What running again does once more, and which runs stay as they are, with the first reason. */
export function WhatRepeats({ told, nameOf }: { told: BulkRuns; nameOf: (automation: string) => string }) {
  const words = effectWords(told.repeats, nameOf);
  const [refused] = told.problems;
  return (
    <>
      {told.count > told.refused &&
        (words.length === 0 ? (
          <p>{texts.runs.rerunRepeats([])}</p>
        ) : (
          <div>
            <p className="font-medium">{said.again}</p>
            <ul className="mt-1 list-disc pl-5 text-soft">
              {words.slice(0, LINES_MAX).map((line) => (
                <li key={line} className="[overflow-wrap:anywhere]">
                  {line}
                </li>
              ))}
            </ul>
            {words.length > LINES_MAX && <p className="text-soft">{said.more(words.length - LINES_MAX)}</p>}
          </div>
        ))}
      {told.refused > 0 && (
        <p className="text-warn [overflow-wrap:anywhere]">{said.stay(told.refused, refused?.reason ?? "")}</p>
      )}
    </>
  );
}
