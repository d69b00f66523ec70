"""`upshot migrate`: the database's schema."""

from upshot.cli import options


def migrate(*, database: options.Database = None, app: options.App = None, as_json: options.Json = False) -> None:
    """Bring the database to this release's schema. Safe to repeat, and to run from several machines at once."""
    from upshot.cli import opening
    from upshot.cli.output import show, show_json
    from upshot.store.migrate import HEAD, present_version

    upshot = opening.loaded(app, database) if app else opening.build(database or opening.settings().database_url)
    try:
        changed = upshot.migrate()
        with upshot.database.reading() as connection:
            present = present_version(connection)
        shown = upshot.database.url.render_as_string(hide_password=True)
    finally:
        upshot.close()
    if as_json:
        show_json({"database": shown, "schema": present, "changed": changed})
    else:
        newer = f", of a newer release than this one, which is written for {HEAD}" if present != HEAD else ""
        show(f"{shown} has schema {present}{'' if changed else ' already'}{newer}")
