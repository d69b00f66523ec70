"""Letters that an earlier release kept stay, and can be listed and acted on."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from upshot import Upshot
from upshot.store import migrate
from upshot.store.database import Database


def test_what_an_earlier_release_gave_up_on_is_still_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    insert = (
        "INSERT INTO upshot_dead_letters (tenant_id, id, kind, noun_id, error, strikes, status, created_at)"
        " VALUES ('default', 'run:r', 'run', 'r', 'it broke', 4, 'open', 7000000)"
    )
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(text(insert))
    database.close()
    upshot = Upshot(url)
    assert upshot.migrate() is True
    (letter,) = upshot.dead_letters.page("default").items
    assert (letter["message"], letter["attempts"], letter["last_at"]) == ("it broke", 4, "1970-01-01T00:00:07.000000Z")
    assert upshot.dead_letters.discard("default", "run:r", "long ago")["status"] == "discarded"
    with upshot.database.writing() as connection:  # the release before writes on the new schema
        connection.execute(text(insert.replace("run:r'", "run:s'").replace("'r'", "'s'")))
    upshot.close()
