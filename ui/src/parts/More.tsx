import { texts } from "@/texts";
import { Button } from "./Button";

type Paged = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };

/** The end of a list: the next page, if there is one. */
export function More({ query }: { query: Paged }) {
  if (!query.hasNextPage) return null;
  return (
    <div className="flex justify-center border-t border-line p-2.5">
      <Button look="quiet" size="sm" busy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
        {texts.actions.showMore}
      </Button>
    </div>
  );
}
