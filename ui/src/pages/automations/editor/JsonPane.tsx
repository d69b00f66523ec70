import type { AutomationDocument, Json } from "@/api/types";
import { JsonEditor } from "@/parts/JsonEditor";
import { texts } from "@/texts";
import { tidy } from "./draft";

/** The whole document as text. What is not a document at all is kept as typed and simply not taken over. */
export function JsonPane({
  document,
  onChange,
}: {
  document: AutomationDocument;
  onChange: (document: AutomationDocument, touched: string) => void;
}) {
  const take = (value: Json) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return;
    const given = value as unknown as Partial<AutomationDocument>;
    onChange(
      {
        ...given,
        name: typeof given.name === "string" ? given.name : "",
        priority: typeof given.priority === "number" ? given.priority : 5,
        trigger: typeof given.trigger === "object" && given.trigger !== null ? given.trigger : { event: "" },
        condition: given.condition && Array.isArray(given.condition.rules) ? given.condition : null,
        steps: Array.isArray(given.steps) ? given.steps : [],
      },
      "json",
    );
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col p-5">
      <p className="mb-3 text-sm text-soft">{texts.editor.jsonLead}</p>
      <JsonEditor grow label={texts.editor.jsonLabel} value={tidy(document) as unknown as Json} onChange={take} />
    </div>
  );
}
