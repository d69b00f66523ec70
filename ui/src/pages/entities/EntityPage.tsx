import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { entityQuery } from "@/api/entities";
import { eventsQuery } from "@/api/events";
import { runsQuery } from "@/api/runs";
import type { Entity } from "@/api/types";
import { RunsTable } from "@/pages/runs/RunsTable";
import { brief } from "@/parts/json";
import { More } from "@/parts/More";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Card, Page } from "@/parts/Page";
import { Badge } from "@/parts/Status";
import { Ago } from "@/parts/Time";
import { titleOf } from "@/schema-form/model";
import { texts } from "@/texts";

export function EntityPage() {
  const { type, id } = useParams({ from: "/entities/$type/$id" });
  const entity = useQuery(entityQuery(type, id));
  const about = `${type}:${id}`;
  return (
    <Page
      title={`${titleOf(type)} ${id}`}
      above={
        <Link
          to="/entities"
          search={{ type }}
          className="mb-3 inline-flex items-center gap-1 text-xs font-medium text-soft hover:text-ink"
        >
          <ArrowLeft size={13} aria-hidden />
          {texts.entities.back}
        </Link>
      }
      lead={
        entity.data && (
          <>
            {texts.entities.revision(entity.data.revision)} · <Ago at={entity.data.updated_at} />
          </>
        )
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-[340px_minmax(0,1fr)]">
        {entity.data ? (
          <Fields entity={entity.data} />
        ) : entity.error ? (
          <ErrorNote what={texts.errors.load(`${type} ${id}`)} error={entity.error} onRetry={() => entity.refetch()} />
        ) : (
          <div className="card">
            <SkeletonRows />
          </div>
        )}
        <div className="flex min-w-0 flex-col gap-4">
          <RunsAbout about={about} />
          <EventsAbout about={about} />
        </div>
      </div>
    </Page>
  );
}

function Fields({ entity }: { entity: Entity }) {
  return (
    <div className="flex flex-col gap-4">
      <Card title={texts.entities.fields} flush>
        <dl className="divide-y divide-line">
          {Object.entries(entity.fields).map(([name, value]) => (
            <div key={name} className="flex gap-3 px-4 py-2">
              <dt className="w-32 shrink-0 truncate text-faint">{name}</dt>
              <dd className="min-w-0 flex-1 break-words">{brief(value, 400)}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title={texts.entities.tags}>
        {entity.tags.length === 0 ? (
          <p className="text-sm text-faint">{texts.entities.noTags}</p>
        ) : (
          <ul className="flex flex-wrap gap-1.5">
            {entity.tags.map((tag) => (
              <li key={tag}>
                <Badge>{tag}</Badge>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  );
}

function RunsAbout({ about }: { about: string }) {
  const list = useInfiniteQuery(runsQuery({ entity: about }, 20));
  const runs = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={texts.entities.runs} flush>
      {list.isPending ? (
        <SkeletonRows rows={3} />
      ) : list.error ? (
        <ErrorNote what={texts.errors.load("its runs")} error={list.error} onRetry={() => list.refetch()} />
      ) : runs.length ? (
        <RunsTable runs={runs} label={texts.entities.runs} withEntity={false} />
      ) : (
        <p className="p-4 text-sm text-faint">{texts.entities.noRuns}</p>
      )}
      <More query={list} />
    </Card>
  );
}

function EventsAbout({ about }: { about: string }) {
  const list = useInfiniteQuery(eventsQuery({ entity: about }, 20));
  const events = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={texts.entities.events} flush>
      {list.isPending ? (
        <SkeletonRows rows={3} />
      ) : list.error ? (
        <ErrorNote what={texts.errors.load("its events")} error={list.error} onRetry={() => list.refetch()} />
      ) : events.length ? (
        <ul className="divide-y divide-line">
          {events.map((event) => (
            <li key={event.id}>
              <Link
                to="/events/$id"
                params={{ id: event.id }}
                className="flex items-center gap-3 px-4 py-2.5 hover:bg-hover"
              >
                <code className="code min-w-0 flex-1 truncate">{event.name}</code>
                <span className="text-xs text-faint">
                  <Ago at={event.accepted_at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      ) : (
        <p className="p-4 text-sm text-faint">{texts.entities.noEvents}</p>
      )}
      <More query={list} />
    </Card>
  );
}
