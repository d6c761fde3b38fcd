"""Rows made by hand: order, links and references do not depend on which parts exist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.rows import HelmRow, KubernetesRow, Maker, Row, Wave, capability
from aifactory.components.values import Format, Ref
from aifactory.stacks.assembly.links import Links
from aifactory.stacks.assembly.order import OrderError, in_order

MAKE = Maker("demo", "lab", "part", Wave.HARDWARE)


def release(name: str, wave: Wave = Wave.HARDWARE, **fields: object) -> HelmRow:
    return HelmRow(
        id=f"Release/{name}/{name}", part="cluster", wave=wave, name=name, namespace=name,
        chart=name, repository="oci://example.com", version="1.0.0", values={}, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def config(name: str, namespace: str = "", after: tuple[str, ...] = (), wave: Wave | None = None) -> KubernetesRow:
    return MAKE.kubernetes("v1", "ConfigMap", name, namespace, after=after, wave=wave)


def linked(*rows: Row) -> dict[str, tuple[str, ...]]:
    by_id = {row.id: row for row in rows}
    return {row.id: Links(by_id).of(row) for row in rows}


def test_a_namespaced_row_waits_for_our_namespace_only() -> None:
    namespace = MAKE.kubernetes("v1", "Namespace", "ml", wave=Wave.FOUNDATION)
    links = linked(namespace, config("a", "ml"), config("b", "theirs"))
    assert links["ConfigMap/ml/a"] == ("Namespace/ml",)
    assert links["ConfigMap/theirs/b"] == ()


def test_a_custom_resource_waits_for_the_release_that_brings_its_kind() -> None:
    operator = release("op", crds=("nicclusterpolicies.mellanox.com", "ippools.nv-ipam.nvidia.com"))
    policy = MAKE.kubernetes("mellanox.com/v1alpha1", "NicClusterPolicy", "p")
    foreign = MAKE.kubernetes("mellanox.com/v1alpha1", "Unknown", "u")
    pool = MAKE.kubernetes("nv-ipam.nvidia.com/v1alpha1", "IPPool", "i", "ns")
    links = linked(operator, policy, foreign, pool)
    assert links[policy.id] == (operator.id,)
    assert links[pool.id] == (operator.id,)
    assert links[foreign.id] == ()


def test_a_capability_is_its_release_or_nothing_when_the_site_gives_it() -> None:
    row = config("a", after=(capability("kueue"),))
    assert linked(row)["ConfigMap/a"] == ()
    assert linked(row, release("kueue", provides=("kueue",)))["ConfigMap/a"] == ("Release/kueue/kueue",)


def test_a_reference_makes_its_reader_wait() -> None:
    reader = MAKE.kubernetes("v1", "ConfigMap", "b", body={"data": {"x": Format(("-", Ref("ConfigMap/a", "kind")))}})
    assert linked(config("a"), reader)["ConfigMap/b"] == ("ConfigMap/a",)


def test_a_name_that_is_no_row_is_a_defect() -> None:
    with pytest.raises(KeyError, match="waits for ConfigMap/gone"):
        linked(config("a", after=("ConfigMap/gone",)))


def test_waves_come_first_and_steps_order_a_wave() -> None:
    rows = {
        row.id: row
        for row in (
            config("last", after=("ConfigMap/mid",)),
            config("mid", after=("ConfigMap/first",)),
            config("first", after=("ConfigMap/base",)),
            config("base", wave=Wave.FOUNDATION),
            config("alone"),
        )
    }
    ordered, steps = in_order(rows)
    assert [row.name for row in ordered] == ["base", "alone", "first", "mid", "last"]
    assert steps == {
        "ConfigMap/base": 0,
        "ConfigMap/alone": 0,
        "ConfigMap/first": 0,
        "ConfigMap/mid": 1,
        "ConfigMap/last": 2,
    }


def test_rows_that_wait_for_each_other_are_named() -> None:
    rows = {row.id: row for row in (config("a", after=("ConfigMap/b",)), config("b", after=("ConfigMap/a",)))}
    with pytest.raises(OrderError, match="ConfigMap/a, ConfigMap/b"):
        in_order(rows)


def test_a_row_cannot_wait_for_a_later_wave() -> None:
    late = config("late", wave=Wave.WORKLOADS)
    rows = {row.id: row for row in (late, config("early", after=(late.id,)))}
    with pytest.raises(OrderError, match="10-workloads"):
        in_order(rows)


@given(st.data())
def test_every_row_comes_after_all_it_waits_for(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    rows: dict[str, Row] = {}
    for index in range(count):
        earlier = list(rows)
        after = data.draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        wave = max([rows[name].wave for name in after], default=Wave.FOUNDATION)
        row = config(f"r{index}", after=tuple(after), wave=data.draw(st.sampled_from([w for w in Wave if w >= wave])))
        rows[row.id] = row
    shuffled = dict(data.draw(st.permutations(list(rows.items()))))
    ordered, steps = in_order(shuffled)
    place = {row.id: index for index, row in enumerate(ordered)}
    assert all(place[name] < place[row.id] for row in ordered for name in row.after)
    assert all(steps[name] < steps[row.id] for row in ordered for name in row.after if rows[name].wave == row.wave)
    assert (ordered, steps) == in_order(rows)
