"""Files on nodes."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from support.fabrics import Fabrics, group, infiniband, place, plan_fabrics, roce
from support.planning import HOST, nics


def on(distribution: str, **changes: Any) -> Fabrics:
    """A fabric on a distribution."""
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "distribution": distribution}
    provides = {"network-operator": {"version": "26.4.1"}} if distribution == "openshift" else {}
    return plan_fabrics(at=place(cluster={**cluster, "provides": provides}, **changes))


@pytest.mark.parametrize(
    ("distribution", "path", "line"),
    [
        (
            "kubeadm",
            "/etc/systemd/system/containerd.service.d/90-fabric-memlock.conf",
            "LimitMEMLOCK=infinity",
        ),
        ("rke2", "/etc/systemd/system/rke2-agent.service.d/90-fabric-memlock.conf", "LimitMEMLOCK=infinity"),
        ("k3s", "/etc/systemd/system/k3s-agent.service.d/90-fabric-memlock.conf", "LimitMEMLOCK=infinity"),
    ],
)
def test_the_runtime_of_each_distribution_lifts_the_limit(distribution: str, path: str, line: str) -> None:
    found = on(distribution, network=roce(mode="host-device"))
    row = found.hosts[path]
    assert line in row.content.splitlines()
    assert row.hosts == tuple(place().nodes[0].nodes)
    assert not row.reboot


def test_arp_is_quiet_where_a_node_has_several_rails() -> None:
    several = plan_fabrics().hosts
    lines = several["/etc/sysctl.d/90-fabric-arp.conf"].content.splitlines()
    assert lines == ["net.ipv4.conf.all.arp_ignore = 1", "net.ipv4.conf.all.arp_announce = 2"]
    one = plan_fabrics(at=place(network=roce(rails=1), nodes=[group(nics=nics(1))]))
    assert not [path for path in one.hosts if "arp" in path]


@pytest.mark.parametrize("network", [roce(mode="host-device"), infiniband(mode="ipoib-shared")])
def test_the_mtu_is_set_on_the_host_where_no_operator_does(network: dict[str, Any]) -> None:
    found = plan_fabrics(at=place(network=network))
    row = found.hosts["/etc/systemd/network/10-fabric-hgx-h200.link"]
    assert f"MTUBytes={found.plan.mtu}" in row.content
    assert "Path=pci-0000:18:00.0 pci-0000:29:00.0" in row.content
    assert "NamePolicy=" in row.content
    assert row.reboot


def test_virtual_functions_bring_their_mtu() -> None:
    assert not [path for path in plan_fabrics().hosts if path.endswith(".link")]


def test_pools_of_one_group_have_a_file_each() -> None:
    at = place(network=roce(mode="host-device"), nodes=[group(nodes=4), group("b200", nodes=4, host=HOST)])
    paths = [path for path in plan_fabrics(at=at).hosts if path.endswith(".link")]
    assert len(paths) == 2


def talos(**changes: Any) -> dict[str, Any]:
    """The patch of the only pool on Talos."""
    host = {**HOST, "os": "talos", "ofed": "26.04.1"}
    found = on("talos", nodes=[group(host=host)], **changes)
    assert found.broken == []
    row = found.hosts["talos/fabric-hgx-h200-machine-config.patch.yaml"]
    assert row.reboot
    return dict(yaml.safe_load(row.content)["machine"])


def test_talos_gets_one_patch_of_its_machine_configuration() -> None:
    machine = talos()
    assert machine["sysctls"] == {
        "net.ipv4.conf.all.arp_ignore": "1",
        "net.ipv4.conf.all.arp_announce": "2",
    }
    (limit,) = machine["baseRuntimeSpecOverrides"]["process"]["rlimits"]
    assert limit == {"type": "RLIMIT_MEMLOCK", "hard": 2**50, "soft": 2**50}
    assert "network" not in machine


def test_talos_sets_the_mtu_where_no_operator_does() -> None:
    interfaces = talos(network=roce(mode="host-device"))["network"]["interfaces"]
    assert interfaces[0] == {"deviceSelector": {"busPath": "0000:18:00.0"}, "mtu": 9000}
    assert len(interfaces) == 8


def test_talos_gets_no_patch_that_says_nothing() -> None:
    host = {**HOST, "os": "talos", "ofed": "26.04.1"}
    network, nodes = roce(rails=1), [group(host=host, nics=nics(1))]
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "distribution": "talos"}
    at = place(cluster=cluster, network=network, nodes=nodes)
    assert plan_fabrics([{"memory_lock": "capability"}], at).hosts == {}


def test_openshift_gets_a_machine_config_for_each_pool() -> None:
    found = on("openshift", network=roce(mode="host-device"))
    assert found.broken == []
    (path,) = found.hosts
    config = yaml.safe_load(found.hosts[path].content)
    assert config["metadata"]["labels"] == {"machineconfiguration.openshift.io/role": "hgx-h200"}
    files = {file["path"]: file for file in config["spec"]["config"]["storage"]["files"]}
    lock = files["/etc/crio/crio.conf.d/90-fabric-memlock.conf"]
    assert unquote(lock["contents"]["source"]) == 'data:,[crio.runtime]\ndefault_ulimits = ["memlock=-1:-1"]\n'
    assert lock["mode"] == 0o644
    assert {"/etc/sysctl.d/90-fabric-arp.conf", "/etc/systemd/network/10-fabric-hgx-h200.link"} < set(files)
