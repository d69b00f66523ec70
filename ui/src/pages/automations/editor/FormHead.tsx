export function FormHead({ title, lead }: { title: string; lead: string }) {
  return (
    <header className="mb-5">
      <h3 tabIndex={-1} className="w-fit rounded text-lg font-semibold tracking-tight">
        {title}
      </h3>
      <p className="text-sm text-soft">{lead}</p>
    </header>
  );
}
