import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { allSegmentsQuery } from "@/api/segments";
import { Field, Select } from "@/parts/Field";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

type Props = { value: string; error: string | undefined; hint?: string; onChange: (name: string) => void };

/** One of the segments that there are, by its name; or a new one, made here. */
export function SegmentField({ value, error, hint, onChange }: Props) {
  const { data } = useQuery(allSegmentsQuery);
  const names = (data ?? []).map((one) => one.name);
  const typeOf = (name: string) => data?.find((one) => one.name === name)?.entity_type;
  return (
    <Field
      label={texts.trigger.segment}
      hint={data?.length === 0 ? texts.trigger.noSegments : hint}
      error={error}
      required
      aside={<NewSegment onMade={onChange} />}
    >
      {(control) => (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{texts.form.choose}</option>
          {[...new Set(value ? [value, ...names] : names)].sort().map((name) => (
            <option key={name} value={name}>
              {[name, typeOf(name)].filter(Boolean).join(" · ")}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

const load = () => import("@/pages/segments/SegmentDialog").then(({ SegmentDialog }) => SegmentDialog);

/** Makes a segment in a dialog of its own, which is loaded when it is asked for. */
function NewSegment({ onMade }: { onMade: (name: string) => void }) {
  const say = useSay();
  const [SegmentDialog, open] = useState<Awaited<ReturnType<typeof load>> | null>(null);
  return (
    <>
      <button
        type="button"
        className="inline-flex h-5 shrink-0 items-center gap-1 rounded-md px-1.5 text-xs font-medium whitespace-nowrap text-accent-text hover:bg-accent-wash"
        onClick={() =>
          load().then(
            (loaded) => open(() => loaded),
            (error) => say.failed(texts.errors.load(`“${texts.segments.new}”`), error),
          )
        }
      >
        <Plus size={12} aria-hidden />
        {texts.segments.new}
      </button>
      {SegmentDialog && (
        <SegmentDialog segment={null} onSaved={(made) => onMade(made.name)} onClose={() => open(null)} />
      )}
    </>
  );
}
