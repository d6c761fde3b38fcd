"""Settings of the hosts of a pool: kernel and kubelet, in the form that each system reads. What only RDMA
needs, locked memory and ARP, is the fabric's.

Values: NVIDIA/skyhook-packages nvidia-tuned (base, acs-disable, h100-multiNodeTraining, h100-inference).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.gpu_node_pool.model import HostFile, Pairs

Profile = Literal["training", "inference", "generic"]

NAME = "90-aifactory-gpu"


class Settings(Struct, frozen=True):
    """What hosts of one pool are set to, before it has the form of files."""

    sysctls: Pairs
    modules: tuple[str, ...]
    kernel_arguments: tuple[str, ...]
    numa_policy: str
    reserved_cpus: str
    """CPU list that no pod gets, such as 0-2,96-98."""
    cpus: int
    reserved_memory_gib: int


NUMA: dict[str, str] = {
    "none": "pods get GPUs, NICs and CPUs of any socket",
    "best-effort": "GPUs, NICs and CPUs of a pod lie together where they can, and no pod is refused: that "
    "would kill "
    "its gang",
    "restricted": "GPUs, NICs and CPUs of a pod lie at as few sockets as they can, or the pod is refused",
    "single-numa-node": "GPUs, NICs and CPUs of a pod lie at one socket, or the pod is refused",
}
"""What a topology manager policy means for pods."""

_TCP: Pairs = (
    ("net.core.default_qdisc", "fq"),
    ("net.core.rmem_max", "536870912"),
    ("net.core.wmem_max", "536870912"),
    ("net.ipv4.tcp_congestion_control", "bbr"),
    ("net.ipv4.tcp_rmem", "4096 87380 268435456"),
    ("net.ipv4.tcp_wmem", "4096 65536 268435456"),
)
_CALM: Pairs = (("vm.swappiness", "1"),)
_PEER_TO_PEER = ("init_on_alloc=0", "iommu=pt", "pci=disable_acs_redir=pci:0:0")

_KUBELET_WHY = (
    "Whole CPUs for GPU pods, near their GPUs. A kubelet whose CPU policy changed refuses to start: drain "
    "the node, remove /var/lib/kubelet/cpu_manager_state and memory_manager_state, then restart it."
)


def profile(form: str, workload: str, *, fabric: bool) -> Profile:
    """Which settings fit. PCIe cards, and nodes on their own, need none of the multi-rail ones."""
    if form != "baseboard" or (workload == "training" and not fabric):
        return "generic"
    return "training" if workload == "training" else "inference"


def settings(
    kind: Profile,
    *,
    workload: str,
    architecture: str,
    blackwell: bool,
    numa_policy: str,
    cpus: int,
    reserve: tuple[int, int],
) -> Settings:
    """The settings of a profile. `reserve` is CPUs and GiB that pods don't get."""
    baseboard = kind != "generic"
    return Settings(
        sysctls=(*(_TCP if kind == "training" else ()), *(_CALM if workload == "inference" else ())),
        modules=(
            *(("ib_umad",) if baseboard else ()),
            *(("mlx5_ib",) if baseboard and blackwell else ()),
            *(("tcp_bbr",) if kind == "training" else ()),
        ),
        kernel_arguments=_PEER_TO_PEER if baseboard and architecture == "amd64" else (),
        numa_policy=numa_policy,
        reserved_cpus=cpu_list(reserve[0], cpus),
        cpus=cpus,
        reserved_memory_gib=reserve[1],
    )


def reserve(cpus: int, memory_gib: int) -> tuple[int, int]:
    """CPUs and GiB that the kubelet keeps from pods: 3 and 1 percent, at least 2 and 4, CPUs in pairs."""
    share = -(-cpus * 3 // 100)
    return min(max(2, share + share % 2), cpus), max(4, -(-memory_gib // 100))


def cpu_list(count: int, cpus: int) -> str:
    """The first `count` CPU threads of a host, whole cores: thread i and thread i + cpus/2 are one core."""
    half, second = count // 2, cpus // 2
    if half < 1 or cpus % 2:
        return _range(0, count)
    return f"{_range(0, half)},{_range(second, half)}"


def files(found: Settings, *, os: str, distribution: str, name: str) -> tuple[HostFile, ...]:
    """The settings as files of an operating system and a distribution. `name` is the pool's."""
    if os == "talos" or distribution == "talos":
        return (_talos(found),)
    if os == "openshift" or distribution == "openshift":
        return (_openshift(found, name),)
    return tuple(
        file
        for file in (
            _sysctl(found),
            _modules(found),
            _kernel(found, os),
            _governor(),
            *_kubelet(found, distribution),
        )
        if file is not None
    )


def _sysctl(found: Settings) -> HostFile | None:
    if not found.sysctls:
        return None
    text = "".join(f"{name} = {value}\n" for name, value in found.sysctls)
    why = "TCP has buffers for the bandwidth of its links."
    if found.sysctls == _CALM:
        why = "Memory of model servers stays in RAM."
    return HostFile("sysctl", f"/etc/sysctl.d/{NAME}.conf", text, why, reboot=False)


def _modules(found: Settings) -> HostFile | None:
    if not found.modules:
        return None
    text = "".join(f"{name}\n" for name in found.modules)
    why = "ib_umad lets fabric tools talk to HCAs, and tcp_bbr is the congestion control that sysctl names."
    if "mlx5_ib" in found.modules:
        why = (
            "Loaded before the GPU driver: fabric manager of NVLink 5 baseboards needs ib_umad and mlx5_ib, "
            "or CUDA fails with error 802 (NVIDIA/gpu-operator#2781)."
        )
    return HostFile("modules", f"/etc/modules-load.d/{NAME}.conf", text, why, reboot=False)


def _kernel(found: Settings, os: str) -> HostFile | None:
    if not found.kernel_arguments:
        return None
    arguments = " ".join(found.kernel_arguments)
    why = (
        "GPUs and NICs reach each other without the IOMMU and without ACS redirects, which cost "
        "peer-to-peer bandwidth (NVIDIA/nccl#489)."
    )
    if os.startswith("rhel"):
        text = f"[main]\ninclude=throughput-performance\n\n[bootloader]\ncmdline_aifactory_gpu={arguments}\n"
        path = "/etc/tuned/aifactory-gpu/tuned.conf"
        return HostFile("kernel", path, text, f"{why} Then: tuned-adm profile aifactory-gpu.", reboot=True)
    text = f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {arguments}"\n'
    return HostFile("kernel", f"/etc/default/grub.d/{NAME}.cfg", text, f"{why} Then: update-grub.", reboot=True)


def _governor() -> HostFile:
    text = "w /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor - - - - performance\n"
    why = "CPUs that feed GPUs keep their clock. Hosts without frequency control ignore it."
    return HostFile("cpu-clock", f"/etc/tmpfiles.d/{NAME}.conf", text, why, reboot=False)


def _kubelet(found: Settings, distribution: str) -> tuple[HostFile, ...]:
    if distribution != "kubeadm":
        options = (
            f"topology-manager-policy={found.numa_policy}",
            "cpu-manager-policy=static",
            f"reserved-cpus={found.reserved_cpus}",
            f"system-reserved=memory={found.reserved_memory_gib}Gi",
        )
        text = "kubelet-arg+:\n" + "".join(f'  - "{option}"\n' for option in options)
        path = f"/etc/rancher/{distribution}/config.yaml.d/{NAME}.yaml"
        return (HostFile("kubelet", path, text, _KUBELET_WHY, reboot=False),)
    folder = "/etc/kubernetes/kubelet.conf.d"
    text = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + "".join(
        f"{name}: {value}\n" for name, value in _kubelet_fields(found)
    )
    unit = f'[Service]\nEnvironment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml --config-dir={folder}"\n'
    return (
        HostFile("kubelet", f"{folder}/{NAME}.conf", text, _KUBELET_WHY, reboot=False),
        HostFile(
            "kubelet-unit",
            f"/etc/systemd/system/kubelet.service.d/{NAME}.conf",
            unit,
            f"The kubelet of kubeadm reads {folder} only when it is told to.",
            reboot=False,
        ),
    )


def _kubelet_fields(found: Settings) -> tuple[tuple[str, str], ...]:
    return (
        ("cpuManagerPolicy", "static"),
        ("reservedSystemCPUs", f'"{found.reserved_cpus}"'),
        ("systemReserved", f"{{memory: {found.reserved_memory_gib}Gi}}"),
        ("topologyManagerPolicy", found.numa_policy),
    )


def _talos(found: Settings) -> HostFile:
    """One patch of the machine configuration: Talos has no files to edit."""
    sysctls = (("net.core.bpf_jit_harden", "1"), *found.sysctls)
    modules = (*found.modules, "nvidia", "nvidia_uvm", "nvidia_drm", "nvidia_modeset")
    lines = ["machine:", "  sysctls:"]
    lines += [f'    {name}: "{value}"' for name, value in sysctls]
    lines += ["  kernel:", "    modules:", *(f"      - name: {name}" for name in modules)]
    if found.kernel_arguments:
        lines += ["  install:", "    extraKernelArgs:"]
        lines += [f"      - {argument}" for argument in found.kernel_arguments]
    lines += ["  kubelet:", "    extraConfig:"]
    lines += [f"      {name}: {value}" for name, value in _kubelet_fields(found)]
    why = (
        "Machine configuration of GPU nodes. Apply it with talosctl patch machineconfig --patch @FILE, node "
        "by node and drained; kernel arguments take effect with the next upgrade of the node's image."
    )
    return HostFile("machine-config", "talos/gpu-machine-config.patch.yaml", "\n".join(lines) + "\n", why, reboot=True)


def _openshift(found: Settings, name: str) -> HostFile:
    """A PerformanceProfile: the Node Tuning Operator owns the hosts, and their pool is the site's choice."""
    arguments = [f"    - {argument}" for argument in found.kernel_arguments]
    isolated = cpu_list_without(found.reserved_cpus, found.cpus)
    lines = [
        "apiVersion: performance.openshift.io/v2",
        "kind: PerformanceProfile",
        "metadata:",
        f"  name: {name}",
        "spec:",
        *(["  additionalKernelArgs:", *arguments] if arguments else []),
        "  cpu:",
        f'    reserved: "{found.reserved_cpus}"',
        f'    isolated: "{isolated}"',
        "  nodeSelector:",
        f'    node-role.kubernetes.io/{name}: ""',
        "  numa:",
        f"    topologyPolicy: {found.numa_policy}",
        "  workloadHints:",
        "    highPowerConsumption: true",
        "    realTime: false",
    ]
    why = (
        f"The administrator of the cluster puts these nodes into a MachineConfigPool with the role {name} "
        "and applies this profile: each node drains and reboots. Sysctls are the Node Tuning "
        "Operator's too: " + "; ".join(f"{name}={value}" for name, value in found.sysctls)
    )
    return HostFile(
        "performance-profile",
        "openshift/gpu-performance-profile.yaml",
        "\n".join(lines) + "\n",
        why,
        reboot=True,
    )


def cpu_list_without(reserved: str, cpus: int) -> str:
    """The CPU threads of a host that a CPU list doesn't name."""
    taken: set[int] = set()
    for part in reserved.split(","):
        first, _, last = part.partition("-")
        taken.update(range(int(first), int(last or first) + 1))
    ranges: list[list[int]] = []
    for cpu in range(cpus):
        if cpu in taken:
            continue
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(_range(first, last - first + 1) for first, last in ranges)


def _range(first: int, count: int) -> str:
    return f"{first}" if count == 1 else f"{first}-{first + count - 1}"
