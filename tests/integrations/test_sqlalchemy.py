"""The outbox as a table of the host's own metadata."""

from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, func, select

from upshot import Upshot
from upshot.integrations.sqlalchemy import outbox_table


def test_a_host_makes_the_outbox_with_its_own_tables_and_emits_into_it(tmp_path: Path) -> None:
    metadata = MetaData()
    orders = Table("orders", metadata, Column("id", Integer, primary_key=True))
    outbox = outbox_table(metadata)
    assert outbox_table(metadata) is outbox
    assert set(metadata.tables) == {"orders", outbox.name}
    engine = create_engine(f"sqlite:///{tmp_path}/host.db")
    metadata.create_all(engine)
    upshot = Upshot(f"sqlite:///{tmp_path}/host.db")
    with engine.begin() as connection:
        connection.execute(orders.insert().values(id=1))
        upshot.emit("shop/order.placed", {"id": 1}, connection=connection)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(outbox)).scalar() == 1
    engine.dispose()
    upshot.close()
