"""The power fails at any moment: every acknowledged event is in what is left of the SQLite file, and the engine goes on."""

import sqlite3
from pathlib import Path

import pytest

from tests.crash.ledgers import Look, check_end, check_now
from tests.crash.load import Work
from tests.crash.power_loss import Image, images, read_record
from tests.crash.preloads import compiled
from tests.crash.processes import Processes

IMAGES, SEED, EVENTS = 300, 11, 120
GOES_ON_EVERY = 100


@pytest.mark.timeout(240)
def test_every_image_of_a_power_loss_has_all_that_was_acknowledged(
    embedded: Work, processes: Processes, tmp_path: Path
) -> None:
    file = tmp_path / "upshot.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = {path.name: path.read_bytes() for path in (file, tmp_path / "upshot.db-wal") if path.exists()}
    environment = {
        "LD_PRELOAD": str(compiled("recorder", tmp_path)),
        "UPSHOT_RECORDED_FILE": file.name,
        "UPSHOT_RECORD": str(tmp_path / "record"),
    }
    engine = processes.execute(embedded.but(events=EVENTS), environment)
    engine.wait_for("given")
    engine.stop()
    record = read_record(tmp_path / "record")
    assert sum(operation.kind == "S" for operation in record) > 50, "syncs are recorded"
    acknowledged = 0
    for number, image in enumerate(images(record, before, IMAGES, SEED)):
        folder = tmp_path / f"image-{number}"
        folder.mkdir()
        check(image, folder)
        acknowledged += len(image.acknowledged)
        if number % GOES_ON_EVERY == GOES_ON_EVERY // 2:
            go_on(embedded, folder, processes)
        for path in folder.iterdir():
            path.unlink()
    assert acknowledged > IMAGES * EVENTS // 10, "most moments come after some event was acknowledged"

    unsynced = [one for one in record if not (one.kind == "S" and one.name.endswith("-wal"))]
    with pytest.raises((AssertionError, sqlite3.DatabaseError)):  # so these images would show a log that is not synced
        for number, image in enumerate(images(unsynced, before, IMAGES, SEED)):
            folder = tmp_path / f"unsynced-{number}"
            folder.mkdir()
            check(image, folder)


def check(image: Image, folder: Path) -> None:
    """What is left opens, is whole, and holds every acknowledged event."""
    for name, content in image.files.items():
        (folder / name).write_bytes(content)
    (folder / "accepted").write_text("\n".join(sorted(image.acknowledged)))
    look = Look(f"sqlite:///{folder}/upshot.db")
    assert look.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    check_now(look, folder)
    look.close()


def go_on(work: Work, folder: Path, processes: Processes) -> None:
    """An engine on what is left drives everything to its end."""
    work = work.but(url=f"sqlite:///{folder}/upshot.db", folder=str(folder), name=f"after-{folder.name}")
    look = Look(work.url)
    kept = look.kept()
    engine = processes.start(work)
    engine.until(look.is_over, "all is over")
    engine.stop()
    provider = folder / "provider"
    called = {line.split()[0] for line in provider.read_text().splitlines()} if provider.exists() else set[str]()
    assert not called & kept, "kept, and performed again"
    provider.write_text(
        "\n".join(f"{key} before" for key in called | kept if not key.endswith((":rest", ":end", ":on")))
    )
    check_end(look, folder)
    look.close()
