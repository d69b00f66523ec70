import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Boxes } from "lucide-react";
import { entitiesQuery, entityTypesQuery } from "@/api/entities";
import type { Entity, EntityTypeCount } from "@/api/types";
import { cx } from "@/parts/classes";
import { brief } from "@/parts/json";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Page } from "@/parts/Page";
import { Badge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { titleOf } from "@/schema-form/model";
import { texts } from "@/texts";

const columns = [
  { title: texts.entities.columns.id, className: "w-56 max-md:w-auto" },
  { title: texts.entities.columns.fields, folds: true },
  { title: texts.entities.columns.tags, folds: true, className: "w-48" },
  { title: texts.entities.columns.updated, className: "w-28 md:w-32" },
];

export function EntitiesPage() {
  const types = useQuery(entityTypesQuery);
  const search = useSearch({ from: "/entities" });
  const chosen = search.type ?? types.data?.[0]?.type;
  return (
    <Page title={texts.entities.title} lead={texts.entities.lead}>
      {types.isPending ? (
        <div className="card">
          <SkeletonRows />
        </div>
      ) : types.error ? (
        <ErrorNote what={texts.errors.load("the entities")} error={types.error} onRetry={() => types.refetch()} />
      ) : types.data.length === 0 ? (
        <div className="card">
          <Empty icon={<Boxes size={20} />} title={texts.entities.empty}>
            {texts.entities.emptyHelp}
          </Empty>
        </div>
      ) : (
        <div className="grid items-start gap-4 md:grid-cols-[200px_minmax(0,1fr)]">
          <TypeList types={types.data} chosen={chosen} />
          {chosen && <EntityTable key={chosen} type={chosen} />}
        </div>
      )}
    </Page>
  );
}

function TypeList({ types, chosen }: { types: EntityTypeCount[]; chosen: string | undefined }) {
  return (
    <nav aria-label={texts.entities.types} className="flex flex-wrap gap-0.5 md:flex-col">
      {types.map(({ type, count }) => (
        <Link
          key={type}
          to="/entities"
          search={{ type }}
          aria-current={type === chosen ? "page" : undefined}
          className={cx(
            "flex h-8 items-center gap-3 rounded-md px-2.5 font-medium",
            type === chosen ? "bg-accent-wash text-accent-text" : "text-soft hover:bg-hover hover:text-ink",
          )}
        >
          {titleOf(type)}
          <span className="ml-auto text-xs text-faint tabular-nums">{count.toLocaleString()}</span>
        </Link>
      ))}
    </nav>
  );
}

function EntityTable({ type }: { type: string }) {
  const navigate = useNavigate();
  const list = useInfiniteQuery(entitiesQuery(type));
  const entities = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="card min-w-0 overflow-hidden">
      {list.isPending ? (
        <SkeletonRows />
      ) : list.error ? (
        <div className="p-4">
          <ErrorNote what={texts.errors.load(`the ${type} list`)} error={list.error} onRetry={() => list.refetch()} />
        </div>
      ) : entities.length === 0 ? (
        <Empty icon={<Boxes size={20} />} title={texts.entities.emptyType(type)}>
          {texts.entities.emptyHelp}
        </Empty>
      ) : (
        <Table columns={columns} label={titleOf(type)}>
          {entities.map((entity) => (
            <Row key={entity.id} onClick={() => void navigate({ to: "/entities/$type/$id", params: entity })}>
              <Cell className="max-w-0">
                <Link
                  to="/entities/$type/$id"
                  params={entity}
                  className="code block truncate font-medium hover:text-accent-text"
                >
                  {entity.id}
                </Link>
                <Folded>
                  <FieldsLine entity={entity} />
                </Folded>
              </Cell>
              <Cell folds className="max-w-0">
                <FieldsLine entity={entity} />
              </Cell>
              <Cell folds>
                <span className="flex flex-wrap gap-1">
                  {entity.tags.slice(0, 3).map((tag) => (
                    <Badge key={tag}>{tag}</Badge>
                  ))}
                </span>
              </Cell>
              <Cell className="text-soft">
                <Ago at={entity.updated_at} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <More query={list} />
    </div>
  );
}

function FieldsLine({ entity }: { entity: Entity }) {
  return (
    <span className="block truncate">
      {Object.entries(entity.fields)
        .slice(0, 5)
        .map(([name, value], index) => (
          <span key={name}>
            {index > 0 && <span className="text-faint"> · </span>}
            <span className="text-faint">{name}</span> {brief(value, 30)}
          </span>
        ))}
    </span>
  );
}
