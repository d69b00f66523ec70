"""Fair shares: whoever claims for as long as more may wait gets everything, and each claim is a share of each tenant."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, delete, insert

from upshot.store.database import Database
from upshot.store.fair import Waiting

jobs = Table(
    "jobs", MetaData(), Column("tenant_id", Text), Column("number", Integer), Index("by", "tenant_id", "number")
)
waiting = Waiting(jobs, ready=lambda c: c.number > 0, order=lambda c: [c.number], taken=["tenant_id", "number"])

BACKLOGS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 12), max_size=30)


def test_claims_take_a_share_of_each_tenant_until_nothing_waits(url: str) -> None:
    database = Database(url)
    with database.writing() as connection:
        jobs.create(connection)

    @settings(max_examples=40, deadline=None)
    @given(BACKLOGS, st.integers(1, 40))
    def everything_is_claimed(backlogs: dict[str, int], limit: int) -> None:
        rows = [{"tenant_id": t, "number": n} for t, most in backlogs.items() for n in range(1, most + 1)]
        got: list[tuple[str, int]] = []
        after, is_more = "", True
        with database.writing() as connection:
            if rows:
                connection.execute(insert(jobs), rows)
            while is_more:
                claimed, after, is_more = waiting.claim(connection, limit, after)
                assert len(claimed) <= limit
                by_tenant = Counter(row[0] for row in claimed)
                assert all(count <= max(1, limit // len(by_tenant)) for count in by_tenant.values())
                for tenant_id, number in claimed:
                    mine = (jobs.c.tenant_id == tenant_id) & (jobs.c.number == number)
                    connection.execute(delete(jobs).where(mine))
                got += [(row[0], row[1]) for row in claimed]
        assert sorted(got) == sorted((row["tenant_id"], row["number"]) for row in rows)

    everything_is_claimed()
    database.close()
