"""When the rails of a fabric count as ready, and what waits for that."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.fabric import acceptance
from aifactory.components.fabric.model import Acceptance
from support.fabrics import Fabrics, group, infiniband, place, plan_fabrics, roce

READERS = {"red": "red"}


def found(spec: dict[str, Any] | None = None, **site: Any) -> Fabrics:
    """A fabric with one reader of its settings."""
    return plan_fabrics([spec or {}], place(**site), None, [], READERS)


def accepted(planned: Fabrics) -> Acceptance:
    assert planned.plan.acceptance is not None
    return planned.plan.acceptance


@pytest.mark.parametrize(
    ("network", "resource", "count"),
    [
        (roce(), "nvidia.com/rail_0", 8),
        (infiniband(), "nvidia.com/ib_rail_0", 8),
        (roce(mode="host-device"), "nvidia.com/rail_0", 1),
        (roce(mode="macvlan-shared"), "rdma/rail_0", 63),
        (infiniband(mode="ipoib-shared"), "rdma/ib_rail_0", 63),
    ],
)
def test_each_node_must_offer_what_pods_ask_for(network: dict[str, Any], resource: str, count: int) -> None:
    planned = found(network=network)
    assert accepted(planned).resources[0] == (resource, count)
    assert len(accepted(planned).resources) == 8
    offered = [rail.resource for rail in planned.offers[0].rails]
    assert [name for name, _ in accepted(planned).resources] == offered


def test_the_wait_is_as_long_as_nodes_restart_one_after_the_other() -> None:
    assert accepted(found()).timeout_s == 3600 + 8 * 2400
    assert accepted(found({"nodes_at_a_time": 4})).timeout_s == 3600 + 2 * 2400
    assert accepted(found(nodes=[group(nodes=24, per_rack=8, racks_per_block=3)])).timeout_s == 28_800


@pytest.mark.parametrize(
    ("spec", "site"),
    [
        ({"virtual_functions": 4}, {}),
        ({}, {"cluster": {"version": "1.35.7", "kubeconfig": {"context": "lab"}}}),
        ({}, {"nodes": [group(nodes=7)]}),
    ],
)
def test_another_job_has_another_name_because_a_job_cannot_be_changed(
    spec: dict[str, Any], site: dict[str, Any]
) -> None:
    assert accepted(found(spec, **site)).name != accepted(found()).name
    assert accepted(found()).name == accepted(found()).name


def test_many_nodes_are_selected_by_the_label_of_their_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptance, "NAMED_AT_MOST", 63)
    selected = ("node", "--selector=aifactory.io/pool in (hgx-h200,hgx-b200)")
    assert accepted(found(nodes=[group(), group("b200", nodes=1)])).objects == selected


def test_workloads_get_the_settings_after_the_rails() -> None:
    planned = found()
    rows = planned.rows
    job = next(row for identity, row in rows.items() if identity.startswith("Job.batch/"))
    settings = rows["ConfigMap/red/fabric-nccl"]
    assert settings.after == (job.id,)
    waits = set(job.after)
    for kind in ("SriovNetworkNodePolicy", "SriovNetwork", "NicConfigurationTemplate", "NicNodePolicy"):
        assert any(name.startswith(f"{kind}.") for name in waits), kind


def test_a_drain_of_the_node_of_the_job_is_no_failure() -> None:
    (body,) = found().objects("Job").values()
    assert body["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert body["spec"]["podFailurePolicy"]["rules"][0]["action"] == "Ignore"
    first = body["spec"]["template"]["spec"]["containers"][0]
    assert first["args"][1] == r"--for=jsonpath={.status.allocatable.nvidia\.com/rail_0}=8"


def test_a_fabric_without_pools_waits_for_nothing() -> None:
    assert plan_fabrics([{}], place(), [], [], READERS).plan.acceptance is None
