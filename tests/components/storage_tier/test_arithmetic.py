"""Capacity and rates: worked out by hand, and for any drives what must hold of all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.storage_tier import arithmetic as a
from aifactory.components.storage_tier.arithmetic import Drives, Need, Redundancy, Speed
from support.storage_cases import CASES, Case

RATE = st.one_of(st.none(), st.floats(0.01, 100))
DRIVES = st.builds(
    Drives,
    st.integers(1, 500),
    st.integers(1, 60),
    st.floats(0.1, 200),
    RATE,
    RATE,
    RATE,
    st.floats(0.01, 100),
)
REDUNDANCY = st.one_of(
    st.builds(Redundancy, replicas=st.integers(1, 5)),
    st.builds(Redundancy, data=st.integers(2, 16), parity=st.integers(1, 8)),
)
PERCENT = st.integers(10, 95)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_figure_is_the_one_worked_out_by_hand(case: Case) -> None:
    found = case.ask()
    if case.by_hand is None:
        assert found is None
    else:
        assert found is not None
        assert found == pytest.approx(case.by_hand, rel=case.within or 1e-12)


def test_there_are_twenty_cases_or_more_with_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 20


def test_the_rule_of_thumb_is_the_table_divided_by_256_gpus() -> None:
    table = {"good": (15, 7), "better": (40, 20), "best": (125, 62)}
    for level, (read, write) in table.items():
        assert a.PER_GPU[level] == (round(read / 256, 2), round(write / 256, 2))
        assert a.PER_NODE[level][0] * 32 > read, "a unit reads less than its nodes would alone"


@given(DRIVES, REDUNDANCY, PERCENT)
def test_what_is_usable_is_less_than_what_drives_hold(drives: Drives, redundancy: Redundancy, fill: int) -> None:
    usable = a.usable_tib(drives.raw_tib, redundancy, fill)
    assert 0 < usable < drives.raw_tib


@given(DRIVES, REDUNDANCY, PERCENT)
def test_what_is_usable_takes_what_may_be_filled(drives: Drives, redundancy: Redundancy, fill: int) -> None:
    usable = a.usable_tib(drives.raw_tib, redundancy, fill)
    assert a.raw_needed_tib(usable, redundancy) == pytest.approx(drives.raw_tib * fill / 100)


@given(st.floats(0.1, 1_000), PERCENT)
def test_what_is_spared_of_a_node_leaves_what_may_be_filled(node_tib: float, fill: int) -> None:
    left = node_tib * 1_024 - a.spare_gib(node_tib, fill)
    assert node_tib * 1_024 * fill / 100 - 1 <= left <= node_tib * 1_024 * fill / 100 + 1e-6


@given(st.floats(0.1, 100_000), PERCENT, st.integers(1, 100), st.floats(0.1, 100))
def test_so_many_drives_are_enough_and_one_less_is_not(raw: float, fill: int, nodes: int, tb: float) -> None:
    each = a.drives_needed(raw, fill, nodes, tb)

    def room(count: int) -> float:
        return Drives(nodes, count, tb, None, None, None).raw_tib * fill / 100

    assert room(each) >= raw * (1 - 1e-9)
    assert each == 1 or room(each - 1) < raw * (1 + 1e-9)


@given(DRIVES, REDUNDANCY)
def test_a_rate_is_known_only_where_all_that_decides_it_is(drives: Drives, redundancy: Redundancy) -> None:
    speed = a.shared_speed(drives, redundancy)
    assert (speed.read is None) == (None in (drives.read_gb_per_s, drives.network_gb_per_s))
    assert (speed.write is None) == (None in (drives.write_gb_per_s, drives.network_gb_per_s))


@given(DRIVES, REDUNDANCY)
def test_nothing_is_faster_than_its_drives_or_its_network(drives: Drives, redundancy: Redundancy) -> None:
    speed = a.shared_speed(drives, redundancy)
    for rate, drive in ((speed.read, drives.read_gb_per_s), (speed.write, drives.write_gb_per_s)):
        if rate is not None and drive is not None and drives.network_gb_per_s is not None:
            assert rate <= drive * drives.count * (1 + 1e-9)
            assert rate <= drives.network_gb_per_s * drives.nodes * (1 + 1e-9)


@given(DRIVES, REDUNDANCY, st.integers(1, 100))
def test_gateways_make_nothing_faster(drives: Drives, redundancy: Redundancy, gateways: int) -> None:
    kernels, through = a.shared_speed(drives, redundancy), a.shared_speed(drives, redundancy, gateways)
    for direct, around in ((kernels.read, through.read), (kernels.write, through.write)):
        assert (direct is None) == (around is None)
        assert direct is None or around is None or around <= direct


@given(st.integers(1, 5), st.integers(1, 500))
def test_more_copies_leave_less_and_more_may_fail(copies: int, nodes: int) -> None:
    drives = Drives(nodes, 4, 7.68, 6.0, 3.0, 10.0)
    fewer, more = Redundancy(replicas=copies), Redundancy(replicas=copies + 1)
    assert a.usable_tib(drives.raw_tib, more, 75) < a.usable_tib(drives.raw_tib, fewer, 75)
    assert (a.shared_speed(drives, more).write or 0) < (a.shared_speed(drives, fewer).write or 0)
    assert (more.may_fail, more.width) == (fewer.may_fail + 1, fewer.width + 1)


@given(
    st.builds(
        Need,
        st.just("x"),
        st.integers(1, 1_000),
        dataset=st.floats(0, 100),
        checkpoint_gb=st.floats(0, 10_000),
        checkpoint_s=st.integers(0, 600),
        restart_s=st.integers(0, 600),
        checkpoint_rate=st.floats(0, 10),
        weights=st.floats(0, 100),
        kv_offload=st.floats(0, 100),
    )
)
def test_the_worst_moment_is_no_less_than_any_of_its_parts(need: Need) -> None:
    assert need.read >= max(need.dataset, need.restart, need.weights, need.kv_offload)
    assert need.read <= need.dataset + need.restart + need.weights + need.kv_offload + 1e-9
    assert need.write >= max(need.checkpoint, need.kv_offload)


NEEDS = st.lists(
    st.builds(
        Need,
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 256),
        dataset=st.floats(0, 100),
        kv_offload=st.floats(0, 100),
        level=st.sampled_from(["", "good", "better", "best"]),
        pool=st.sampled_from(["a", "b"]),
    ),
    max_size=6,
)


@given(NEEDS)
def test_together_parts_need_no_less_than_each_alone_and_no_more_than_all_at_once(needs: list[Need]) -> None:
    whole = a.needed(needs, "read")
    assert whole >= max((need.read_alone for need in needs), default=0.0) * (1 - 1e-9)
    assert whole <= sum(need.read_alone for need in needs) * (1 + 1e-9)


@given(NEEDS, st.integers(1, 100))
def test_tiers_of_one_system_take_what_one_tier_with_all_needs_would(needs: list[Need], has: int) -> None:
    half = len(needs) // 2
    apart = a.together([a.share(needs[:half], "read", has), a.share(needs[half:], "read", has)])
    assert apart * has == pytest.approx(a.needed(needs, "read"))


@given(NEEDS)
def test_gpus_that_wait_are_no_more_than_are_named_and_no_fewer_than_of_any_part(needs: list[Need]) -> None:
    assert a.gpus_of(needs) <= sum(need.gpus for need in needs)
    assert a.gpus_of(needs) >= max((need.gpus for need in needs), default=0)


@given(PERCENT, st.integers(2, 1_000))
def test_a_loss_fills_the_others_with_what_was_there(fill: int, nodes: int) -> None:
    assert a.fill_after_loss(fill, nodes) * (nodes - 1) == pytest.approx(fill * nodes)


def test_one_node_has_no_other_to_fill() -> None:
    assert a.fill_after_loss(75, 1) == float("inf")


@pytest.mark.parametrize(
    ("redundancy", "text"),
    [(Redundancy(), "1 replica"), (Redundancy(replicas=3), "3 replicas"), (Redundancy(data=4, parity=2), "4+2")],
)
def test_redundancy_reads_as_people_say_it(redundancy: Redundancy, text: str) -> None:
    assert str(redundancy) == text


def test_what_is_unknown_has_no_share_for_a_gpu() -> None:
    assert a.per_gpu(None, 8) is a.per_gpu(10.0, 0) is None
    assert a.on_all(Speed(None, 2.0, "drives", "drives"), 4) == Speed(None, 8.0, "drives", "drives")
    assert a.together([]) == 0
