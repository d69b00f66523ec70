"""Flow control by several workers on PostgreSQL: none waits for another that waits for it."""

import threading
import time
from pathlib import Path

from tests.stores import store
from upshot.engine.admit import Admission
from upshot.store.database import Database
from upshot.store.flow import Key

ONE, OTHER = Key("t", "a", "concurrency", ""), Key("t", "a", "debounce", "")
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def test_who_decides_about_the_same_keys_in_another_order_waits_its_turn(tmp_path: Path) -> None:
    failed: list[Exception] = []
    began = threading.Event()
    with store("postgresql", tmp_path) as url:
        database = Database(url)

        def decide_the_other_way_round() -> None:
            try:
                with database.writing() as connection:
                    admission = Admission(connection, 1)
                    admission.lock([OTHER])
                    began.set()
                    admission.lock([ONE])
            except Exception as error:
                failed.append(error)

        second = threading.Thread(target=decide_the_other_way_round)
        try:
            with database.writing() as connection:
                admission = Admission(connection, 1)
                admission.lock([ONE])
                second.start()
                until = time.monotonic() + 30
                while not began.is_set() and time.monotonic() < until:
                    with database.reading() as looking:
                        if looking.exec_driver_sql(WAITS).scalar():
                            break
                admission.lock([OTHER])
            second.join(30)
        finally:
            database.close()
    assert not failed
