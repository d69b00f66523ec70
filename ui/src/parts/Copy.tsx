import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { texts } from "@/texts";
import { Button, IconButton } from "./Button";

function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 1600);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return [copied, (text) => void navigator.clipboard.writeText(text).then(() => setCopied(true))];
}

export function CopyIconButton({ text, label = texts.actions.copy }: { text: string; label?: string }) {
  const [copied, copy] = useCopied();
  return (
    <IconButton
      size="sm"
      label={copied ? texts.actions.copied : label}
      icon={copied ? <Check size={13} /> : <CopyIcon size={13} />}
      onClick={() => copy(text)}
    />
  );
}

export function CopyButton({ text, children }: { text: string; children: string }) {
  const [copied, copy] = useCopied();
  return (
    <Button size="sm" icon={copied ? <Check size={13} /> : <CopyIcon size={13} />} onClick={() => copy(text)}>
      {copied ? texts.actions.copied : children}
    </Button>
  );
}
