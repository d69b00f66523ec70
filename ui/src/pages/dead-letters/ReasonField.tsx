import { Field, TextArea } from "@/parts/Field";
import { texts } from "@/texts";

const MAX = 500;

/** Why something is closed. */
export function ReasonField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field label={texts.letters.reason} hint={texts.letters.reasonHint} required>
      {(control) => (
        <TextArea {...control} maxLength={MAX} value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}
