import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClass } from "@/parts/Button";
import { Empty, ErrorNote } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { texts } from "@/texts";

export function NotFound() {
  return (
    <Page title={texts.errors.notFound}>
      <Empty
        icon={<Compass size={20} />}
        title={texts.errors.notFound}
        action={
          <Link to="/" className={buttonClass("primary")}>
            {texts.actions.goHome}
          </Link>
        }
      >
        {texts.errors.notFoundHelp}
      </Empty>
    </Page>
  );
}

export function Crashed({ error }: { error: unknown }) {
  return (
    <Page title={texts.errors.crashed} lead={texts.errors.crashedHelp}>
      <ErrorNote error={error} onRetry={() => window.location.reload()} />
    </Page>
  );
}
