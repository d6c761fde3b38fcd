"""Each rule of the fabric fires on a site that breaks it, and not on one that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct, field

from aifactory.components.base import Place
from aifactory.components.fabric.rules import RULES
from aifactory.components.offers import PoolOffer, QueueOffer, TenantOffer
from support.fabrics import UFM, Fabrics, group, infiniband, leafs, place, plan_fabrics, pool, roce
from support.planning import HOST, nics

ECN = {"minimum_kbytes": 256, "maximum_kbytes": 512}
FIRMWARE = [{"nic_model": "connectx-7", "archives": ["https://fw.example.com/cx7.zip"]}]
ONE_NODE_STORAGE = [{"name": "local", "access": ["ReadWriteOnce"], "default": True}]


class Case(Struct, dict=True):
    """A site with parts and pools, and what must be said about it."""

    rule: str
    site: dict[str, Any] = field(default_factory=dict)
    specs: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    pools: Callable[[Place], list[PoolOffer]] | None = None
    tenants: tuple[str, ...] = ()
    readers: dict[str, str] = field(default_factory=dict)
    says: str = ""

    def plan(self) -> Fabrics:
        """What becomes of it."""
        at = place(**self.site)
        names = [offer.pool for offer in self.pools(at)] if self.pools else [given.group for given in at.nodes]
        return plan_fabrics(
            self.specs,
            at,
            self.pools(at) if self.pools else None,
            [queue(names, self.tenants)] if self.tenants else [],
            self.readers,
        )


def queue(pools: list[str], tenants: tuple[str, ...]) -> QueueOffer:
    """A queue with tenants."""
    offers = tuple(TenantOffer(name, name, name, 8, 8, (), "normal") for name in tenants)
    return QueueOffer("jobs", "jobs", "kueue", tuple(pools), offers, ())


def host(**changes: Any) -> dict[str, Any]:
    """A host that differs from the usual one."""
    return {**HOST, **changes}


def cluster(**changes: Any) -> dict[str, Any]:
    """A cluster that differs from the usual one."""
    classes = [{"name": "shared", "access": ["ReadWriteMany"], "default": True}]
    return {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "storage_classes": classes, **changes}


def moved(**changes: Any) -> list[dict[str, Any]]:
    """Two groups of H200 nodes, the second with NICs elsewhere."""
    other = nics()
    other[3] = {**other[3], **changes}
    return [group(nodes=4), group(group="other", nodes=4, nics=other)]


def one_pool_of_all(at: Place) -> list[PoolOffer]:
    """A pool over all node groups."""
    first = pool(at.nodes[0], "train")
    racks = tuple(rack for given in at.nodes for rack in pool(given).racks)
    return [PoolOffer(**{name: getattr(first, name) for name in PoolOffer.__slots__} | {"racks": racks})]


def two_kinds(**changes: Any) -> dict[str, Any]:
    """Networks of a site with both kinds of fabric."""
    return {**roce(routed=False), "infiniband": infiniband(**changes)["infiniband"]}


def each_on(*parts: str) -> Callable[[Place], list[PoolOffer]]:
    """The first node group in a pool of each fabric part."""
    return lambda at: [pool(at.nodes[0], f"pool-{part}", part) for part in parts]


FIRE = [
    Case("FAB-001", {"network": {**roce(), "roce": None}}, says="has no fabric"),
    Case("FAB-001", {"network": two_kinds()}, says="doesn't say which one"),
    Case("FAB-001", {"network": roce()}, [{"type": "infiniband"}], says="has roce, not infiniband"),
    Case("FAB-002", {"network": roce()}, [{"name": "a"}, {"name": "b"}], says="a are both the roce fabric"),
    Case("FAB-003", pools=lambda _: [], says="no pool at lab uses fabric"),
    Case("FAB-004", {"nodes": [group(nics=[])]}, says="no node group of lab has nics"),
    Case("FAB-004", {"nodes": [group(nics=nics(4))]}, says="rails [0, 1, 2, 3]; roce has rails 0 to 7"),
    Case("FAB-004", {"network": roce(rails=4)}, says="roce has rails 0 to 3"),
    Case("FAB-005", {"nodes": moved(pci="0000:f1:00.0")}, pools=one_pool_of_all, says="differ in NIC model"),
    Case(
        "FAB-006",
        {"network": two_kinds()},
        [{"name": "a", "type": "roce"}, {"name": "b", "type": "infiniband"}],
        each_on("a", "b"),
        says="another fabric has them",
    ),
    Case("FAB-007", {"nodes": [group(host=host(os="talos"))]}, says="talos on amd64 has no DOCA-OFED image"),
    Case("FAB-008", {"nodes": [group(host=host(management_nic="mellanox"))]}, says="over a Mellanox NIC"),
    Case("FAB-009", {"network": roce(priority=6)}, says="priority 6 has congestion notifications"),
    Case("FAB-009", {"network": roce(priority=0)}, says="priority 0 has ordinary traffic"),
    Case("FAB-009", {"network": roce(priority=1, switches={"system": "eos", "ecn": ECN})}, says="on eos"),
    Case("FAB-009", {"network": roce(priority=5, switches={"system": "sonic"})}, says="no lossless buffers"),
    Case("FAB-009", {"network": roce(cnp_dscp=26)}, says="DSCP 26, and so has RDMA"),
    Case("FAB-010", {"network": roce(mtu=9216, switches={"system": "eos", "ecn": ECN})}, says="above 9214"),
    Case("FAB-011", {"network": roce(mtu=1500)}, says="1024 bytes at most"),
    Case("FAB-012", {"network": roce(switches={"leafs": leafs(7)})}, says="rail 7 on 0 leafs"),
    Case("FAB-012", {"network": roce(switches={"leafs": leafs(9)})}, says="rail 8, which the fabric hasn't"),
    Case(
        "FAB-012",
        {"network": roce(switches={"leafs": [*leafs(8), {**leafs(1)[0], "switch": "twin"}]})},
        says="rail 0 on 2 leafs",
    ),
    Case("FAB-013", {"nodes": [group(nodes=33, per_rack=33)]}, says="32 ports for nodes; 33 nodes of b1"),
    Case("FAB-014", {"network": roce(switches={"system": "nxos"})}, says="marks no packet"),
    Case("FAB-014", {"network": roce(switches={"ecn": ECN})}, says="not written to it"),
    Case("FAB-015", {"network": roce(addresses="172.16.0.0/24")}, says="8 nodes with 8 interfaces"),
    Case("FAB-015", {"network": roce(addresses="172.16.0.0/31", routed=False)}, says="no usable subnet"),
    Case(
        "FAB-016",
        {"network": infiniband(pkey_policy="per-tenant", ufm=UFM, mode="host-device")},
        says="only virtual functions have GUIDs",
    ),
    Case(
        "FAB-016",
        {"network": infiniband(pkey_policy="per-tenant", ufm=UFM)},
        readers={"green": "green"},
        says="its tenant green has no PKey",
    ),
    Case(
        "FAB-016",
        {
            "network": infiniband(
                pkey_policy="per-tenant", ufm={**UFM, "pkeys": {f"t{n}": hex(n + 1) for n in range(129)}}
            )
        },
        readers={f"t{n}": f"t{n}" for n in range(129)},
        says="129 partitions on the same nodes",
    ),
    Case("FAB-017", {"network": infiniband(sharp=True, subnet_manager="opensm")}, says="sharp with"),
    Case("FAB-018", {"network": roce(spectrum_x=True)}, says="runs Spectrum-X"),
    Case("FAB-019", {"nodes": [group("gb200", gpus_per_node=4)]}, says="joined by NVLink over 72 GPUs"),
    Case("FAB-020", {"cluster": cluster(distribution="openshift")}, says="beside OpenShift's own"),
    Case(
        "FAB-020",
        {"cluster": cluster(provides={"sriov-network-operator": {"version": "1.6.0"}})},
        says="beside the one in cluster.provides",
    ),
    Case("FAB-021", {"network": roce(gbps=800)}, says="800 Gbit/s with connectx-7 in hgx-h200, which has 400"),
    Case("FAB-021", {"network": infiniband(gbps=800)}, says="which has 400 at most"),
    Case("FAB-022", {"network": roce(mode="macvlan-shared")}, tenants=("red", "blue"), says="2 tenants share"),
    Case(
        "FAB-023",
        {"network": roce(mode="macvlan-shared"), "nodes": moved(interface="ens4")},
        says="rail 3 is ens4 and eth_rail3",
    ),
    Case(
        "FAB-024",
        {"cluster": cluster(storage_classes=ONE_NODE_STORAGE)},
        [{"firmware": FIRMWARE}],
        says="no StorageClass that serves ReadWriteMany",
    ),
    Case(
        "FAB-024",
        specs=[{"firmware": FIRMWARE, "firmware_storage_class": "fast"}],
        says='"fast" doesn\'t serve',
    ),
    Case(
        "FAB-025",
        {"cluster": cluster(distribution="openshift"), "network": roce(mode="host-device")},
        says="from its catalog",
    ),
    Case("FAB-026", {"network": roce(gid_index=0)}, says="GID 0 is RoCEv1"),
    Case("FAB-026", {"network": roce(gid_index=1)}, says="GID 1 is link-local"),
    Case("FAB-027", {"network": roce(addresses="8.8.0.0/16")}, says="8.8.0.0/16 is public"),
]

KEEP = [
    Case("FAB-001", {"network": two_kinds()}, [{"type": "roce"}]),
    Case("FAB-002", {"network": roce()}),
    Case("FAB-003"),
    Case("FAB-004"),
    Case("FAB-005", {"nodes": moved()}, pools=one_pool_of_all),
    Case("FAB-005", {"nodes": moved(pci="0000:f1:00.0")}),
    Case(
        "FAB-006",
        {
            "network": two_kinds(),
            "nodes": [group(nodes=4), group("b200", nodes=4)],
        },
        [{"name": "a", "type": "roce"}, {"name": "b", "type": "infiniband"}],
        lambda at: [pool(at.nodes[0], "one", "a"), pool(at.nodes[1], "two", "b")],
    ),
    Case("FAB-007", {"nodes": [group(host=host(os="rhel-9"))]}),
    Case("FAB-007", {"nodes": [group(host=host(ofed="26.04.1"))]}),
    Case("FAB-008", {"nodes": [group(host=host(management_nic="mellanox", ofed="26.04.1"))]}),
    Case("FAB-008"),
    Case("FAB-009", {"network": roce(priority=5)}),
    Case("FAB-010", {"network": roce(mtu=9216)}),
    Case("FAB-011", {"network": roce(mtu=4200)}),
    Case("FAB-012"),
    Case("FAB-013", {"nodes": [group(nodes=32, per_rack=32)]}),
    Case("FAB-014", {"network": roce(switches={"system": "nxos", "ecn": ECN})}),
    Case("FAB-015", {"network": roce(addresses="172.16.0.0/22")}),
    Case("FAB-016", {"network": infiniband(pkey_policy="per-tenant", ufm=UFM)}, readers={"red": "red"}),
    Case("FAB-017", {"network": infiniband(sharp=True)}),
    Case("FAB-018"),
    Case("FAB-019", {"nodes": [group("b200")]}),
    Case("FAB-020", {"network": roce(mode="host-device")}),
    Case("FAB-021", {"network": infiniband(gbps=800), "nodes": [group("b300", nic_model="connectx-8")]}),
    Case("FAB-022", {"network": roce(mode="macvlan-shared")}, tenants=("red",)),
    Case("FAB-022", tenants=("red", "blue")),
    Case("FAB-023", {"network": roce(mode="macvlan-shared")}),
    Case("FAB-024", specs=[{"firmware": FIRMWARE}]),
    Case(
        "FAB-025",
        {
            "cluster": cluster(distribution="openshift", provides={"network-operator": {"version": "26.4.1"}}),
            "network": roce(mode="host-device"),
        },
    ),
    Case("FAB-026", {"network": roce(gid_index=1, routed=False)}),
    Case("FAB-026", {"network": roce(gid_index=2, mode="macvlan-shared")}),
    Case("FAB-027", {"network": roce(addresses="100.64.0.0/12")}),
    Case("FAB-027"),
]


def _name(case: Case) -> str:
    return f"{case.rule}-{case.says}".rstrip("-")


@pytest.mark.parametrize("case", FIRE, ids=_name)
def test_a_site_that_breaks_a_rule_is_told_so_with_what_to_do(case: Case) -> None:
    found = [problem for problem in case.plan().site_plan.problems if problem.rule == case.rule]
    assert found, "nothing found"
    assert case.says in " | ".join(problem.says for problem in found)
    assert all(problem.hint for problem in found)


@pytest.mark.parametrize("case", KEEP, ids=lambda case: case.rule)
def test_a_site_that_keeps_a_rule_is_not_told_otherwise(case: Case) -> None:
    found = case.plan()
    assert found.site_plan.evaluated.get(case.rule, 0) > 0
    assert case.rule not in found.broken


@pytest.mark.parametrize("case", FIRE, ids=_name)
def test_an_error_refuses_the_plan_and_a_warning_does_not(case: Case) -> None:
    found = case.plan()
    errors = [problem for problem in found.site_plan.problems if problem.severity == "error"]
    assert (None in found.plans.values()) == bool(errors)


def test_a_leaf_without_enough_ports_is_the_one_that_is_shown() -> None:
    case = next(case for case in FIRE if case.rule == "FAB-013")
    paths = [problem.path for problem in case.plan().site_plan.problems]
    assert paths[:2] == [("network", "roce", "switches", "leafs", index, "ports") for index in (0, 1)]


def test_every_rule_has_a_case_of_both_kinds() -> None:
    ids = {rule.id for rule in RULES}
    assert {case.rule for case in FIRE} == ids
    assert {case.rule for case in KEEP} == ids


@pytest.mark.parametrize("case", FIRE, ids=_name)
def test_a_problem_in_the_site_file_points_into_it(case: Case) -> None:
    for problem in case.plan().site_plan.problems:
        first = problem.path[0] if problem.path else ""
        assert first in (("network", "nodes", "cluster") if problem.document == "site" else ("parts",))
