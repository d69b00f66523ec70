"""Turns: nothing is lost, a tenant's order is kept, and nobody waits behind another's storm."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from upshot.engine.turns import Turns


class Waiting(msgspec.Struct):
    tenant_id: str
    weight: int
    number: int


TENANTS = st.sampled_from(["", "a", "b", "c", "d"])
PIECES = st.lists(st.tuples(TENANTS, st.integers(0, 9))).map(
    lambda drawn: [Waiting(tenant_id, weight, number) for number, (tenant_id, weight) in enumerate(drawn)]
)


@given(PIECES, PIECES, st.lists(st.integers(1, 12), min_size=1))
def test_each_piece_is_taken_once_and_a_tenants_in_their_order(
    first: list[Waiting], later: list[Waiting], limits: list[int]
) -> None:
    turns = Turns[Waiting]()
    turns.put(first)
    taken = turns.take(limits[0])
    turns.put(later)
    at = 0
    while turns:
        at += 1
        batch = turns.take(limits[at % len(limits)])
        assert batch
        taken += batch
    assert turns.weight == 0
    for tenant_id in {piece.tenant_id for piece in [*first, *later]}:
        given_in = [piece for piece in [*first, *later] if piece.tenant_id == tenant_id]
        assert [piece for piece in taken if piece.tenant_id == tenant_id] == given_in


@given(PIECES, st.integers(1, 30))
def test_a_batch_exceeds_its_limit_by_less_than_a_piece_of_each_tenant(pieces: list[Waiting], limit: int) -> None:
    turns = Turns[Waiting]()
    turns.put(pieces)
    assert sum(piece.weight for piece in turns.take(limit)) < limit + 5 * 9


@given(st.integers(5, 50), st.lists(TENANTS, min_size=1, max_size=200))
def test_every_tenant_has_its_share_of_each_batch(limit: int, tenants: list[str]) -> None:
    turns = Turns[Waiting]()
    turns.put(Waiting(tenant_id, 1, number) for number, tenant_id in enumerate(tenants))
    assert turns.is_shared == (len(set(tenants) - {""}) > 1)
    taken = [piece.tenant_id for piece in turns.take(limit)]
    assert len(taken) == min(limit, len(tenants))
    share = limit // len(set(tenants))
    for tenant_id in set(tenants):
        assert taken.count(tenant_id) >= min(share, tenants.count(tenant_id))


@given(PIECES, PIECES, st.integers(0, 20), st.integers(1, 12))
def test_tenants_with_little_go_before_those_with_more_and_nothing_is_lost(
    first: list[Waiting], later: list[Waiting], most: int, limit: int
) -> None:
    turns = Turns[Waiting]()
    turns.put(first)
    given_by = {tenant_id: [p for p in first if p.tenant_id == tenant_id] for tenant_id in ("", *"abcd")}
    weights = {tenant_id: sum(p.weight for p in pieces) for tenant_id, pieces in given_by.items()}
    is_heavy = any(weight > most for weight in weights.values())
    assert turns.is_storm(most) == (bool(first) and all(weights[t] > most for t in "abcd" if given_by[t]))
    taken = turns.take_light(most)
    for tenant_id in "abcd":
        is_light = is_heavy and weights[tenant_id] <= most
        assert [p for p in taken if p.tenant_id == tenant_id] == (given_by[tenant_id] if is_light else [])
    turns.put(later)
    gone = {id(piece) for piece in taken}
    waiting = {t: [p for p in [*first, *later] if p.tenant_id == t and id(p) not in gone] for t in "abcd"}
    little = turns.take_little(most)
    for tenant_id, pieces in waiting.items():
        is_little = sum(p.weight for p in pieces) <= most
        assert [p for p in little if p.tenant_id == tenant_id] == (pieces if is_little else [])
    taken += little
    while turns:
        taken += turns.take_light(most)
        taken += turns.take(limit)
    assert turns.weight == 0
    assert sorted(id(piece) for piece in taken) == sorted(id(piece) for piece in [*first, *later])
