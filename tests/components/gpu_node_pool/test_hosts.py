"""Settings of hosts and the form that each system reads."""

from typing import Any

import pytest
import yaml

from aifactory.components.gpu_node_pool import hosts
from aifactory.components.gpu_node_pool.hosts import Settings
from aifactory.components.gpu_node_pool.model import HostFile


def found(kind: hosts.Profile = "training", **changes: Any) -> Settings:
    fields: dict[str, Any] = {
        "workload": "inference" if kind == "inference" else "training",
        "architecture": "amd64",
        "blackwell": False,
        "numa_policy": "best-effort",
        "cpus": 192,
        "reserve": (6, 21),
    }
    return hosts.settings(kind, **{**fields, **changes})


def files(settings: Settings, os: str = "ubuntu-24.04", distribution: str = "kubeadm") -> dict[str, HostFile]:
    return {file.path: file for file in hosts.files(settings, os=os, distribution=distribution, name="train")}


@pytest.mark.parametrize(
    ("form", "workload", "fabric", "profile"),
    [
        ("baseboard", "training", True, "training"),
        ("baseboard", "training", False, "generic"),
        ("baseboard", "inference", True, "inference"),
        ("baseboard", "inference", False, "inference"),
        ("card", "training", True, "generic"),
        ("card", "inference", False, "generic"),
    ],
)
def test_cards_and_lonely_nodes_need_no_multi_rail_settings(
    form: str, workload: str, fabric: bool, profile: str
) -> None:
    assert hosts.profile(form, workload, fabric=fabric) == profile


@pytest.mark.parametrize(
    ("kind", "changes", "sysctl", "modules", "arguments"),
    [
        ("training", {}, "bbr", ["ib_umad", "tcp_bbr"], 3),
        ("training", {"blackwell": True}, "bbr", ["ib_umad", "mlx5_ib", "tcp_bbr"], 3),
        ("training", {"architecture": "arm64"}, "bbr", ["ib_umad", "tcp_bbr"], 0),
        ("inference", {}, "swappiness", ["ib_umad"], 3),
        ("generic", {}, "", [], 0),
        ("generic", {"workload": "inference"}, "swappiness", [], 0),
    ],
)
def test_settings_follow_the_profile(
    kind: hosts.Profile, changes: dict[str, Any], sysctl: str, modules: list[str], arguments: int
) -> None:
    settings = found(kind, **changes)
    text = " ".join(f"{name}={value}" for name, value in settings.sysctls)
    assert sysctl in text
    assert bool(text) is bool(sysctl)
    assert list(settings.modules) == modules
    assert len(settings.kernel_arguments) == arguments
    assert not any("hugepages" in argument for argument in settings.kernel_arguments)


@pytest.mark.parametrize(
    ("cpus", "memory", "reserve"),
    [(192, 2048, (6, 21)), (224, 2048, (8, 21)), (256, 3072, (8, 31)), (64, 256, (2, 4)), (1, 8, (1, 4))],
)
def test_the_system_keeps_whole_cores_and_some_memory(cpus: int, memory: int, reserve: tuple[int, int]) -> None:
    assert hosts.reserve(cpus, memory) == reserve


@pytest.mark.parametrize(
    ("count", "cpus", "text"),
    [(6, 192, "0-2,96-98"), (2, 64, "0,32"), (1, 1, "0"), (2, 63, "0-1"), (8, 256, "0-3,128-131")],
)
def test_reserved_threads_are_the_two_of_each_core(count: int, cpus: int, text: str) -> None:
    assert hosts.cpu_list(count, cpus) == text


@pytest.mark.parametrize(
    ("reserved", "cpus", "rest"),
    [("0-2,96-98", 192, "3-95,99-191"), ("0,32", 64, "1-31,33-63"), ("0", 1, ""), ("0-1", 3, "2")],
)
def test_isolated_threads_are_all_others(reserved: str, cpus: int, rest: str) -> None:
    assert hosts.cpu_list_without(reserved, cpus) == rest


def test_a_kubeadm_host_on_ubuntu_gets_files_that_nothing_else_writes() -> None:
    written = files(found(blackwell=True))
    assert list(written) == [
        "/etc/sysctl.d/90-aifactory-gpu.conf",
        "/etc/modules-load.d/90-aifactory-gpu.conf",
        "/etc/default/grub.d/90-aifactory-gpu.cfg",
        "/etc/tmpfiles.d/90-aifactory-gpu.conf",
        "/etc/kubernetes/kubelet.conf.d/90-aifactory-gpu.conf",
        "/etc/systemd/system/kubelet.service.d/90-aifactory-gpu.conf",
    ]
    assert [path for path, file in written.items() if file.reboot] == ["/etc/default/grub.d/90-aifactory-gpu.cfg"]
    kubelet = yaml.safe_load(written["/etc/kubernetes/kubelet.conf.d/90-aifactory-gpu.conf"].content)
    assert kubelet == {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cpuManagerPolicy": "static",
        "reservedSystemCPUs": "0-2,96-98",
        "systemReserved": {"memory": "21Gi"},
        "topologyManagerPolicy": "best-effort",
    }
    assert "NVIDIA/gpu-operator#2781" in written["/etc/modules-load.d/90-aifactory-gpu.conf"].why


@pytest.mark.parametrize("distribution", ["rke2", "k3s"])
def test_a_rancher_host_gets_arguments_of_its_kubelet(distribution: str) -> None:
    written = files(found(), distribution=distribution)
    path = f"/etc/rancher/{distribution}/config.yaml.d/90-aifactory-gpu.yaml"
    assert yaml.safe_load(written[path].content) == {
        "kubelet-arg+": [
            "topology-manager-policy=best-effort",
            "cpu-manager-policy=static",
            "reserved-cpus=0-2,96-98",
            "system-reserved=memory=21Gi",
        ]
    }


def test_red_hat_hosts_get_kernel_arguments_by_tuned() -> None:
    written = files(found(), os="rhel-9")
    text = written["/etc/tuned/aifactory-gpu/tuned.conf"].content
    assert "[bootloader]\ncmdline_aifactory_gpu=init_on_alloc=0 iommu=pt" in text
    assert not any("grub" in path for path in written)


def test_a_card_in_a_plain_host_gets_a_clock_and_whole_cpus() -> None:
    assert set(files(found("generic"))) == {
        "/etc/tmpfiles.d/90-aifactory-gpu.conf",
        "/etc/kubernetes/kubelet.conf.d/90-aifactory-gpu.conf",
        "/etc/systemd/system/kubelet.service.d/90-aifactory-gpu.conf",
    }


@pytest.mark.parametrize("kind", ["training", "generic"])
def test_talos_gets_one_patch_of_its_machine_configuration(kind: hosts.Profile) -> None:
    ((_, file),) = files(found(kind), os="talos", distribution="talos").items()
    machine = yaml.safe_load(file.content)["machine"]
    assert {"name": "nvidia_uvm"} in machine["kernel"]["modules"]
    assert machine["sysctls"]["net.core.bpf_jit_harden"] == "1"
    assert machine["kubelet"]["extraConfig"]["topologyManagerPolicy"] == "best-effort"
    assert ("install" in machine) is (kind == "training")
    assert file.reboot


@pytest.mark.parametrize("kind", ["training", "generic"])
def test_openshift_gets_a_performance_profile_for_its_administrator(kind: hosts.Profile) -> None:
    ((_, file),) = files(found(kind), os="openshift", distribution="openshift").items()
    profile = yaml.safe_load(file.content)
    assert profile["metadata"]["name"] == "train"
    assert profile["spec"]["cpu"] == {"reserved": "0-2,96-98", "isolated": "3-95,99-191"}
    assert ("additionalKernelArgs" in profile["spec"]) is (kind == "training")
    assert "MachineConfigPool" in file.why
