"""The pod contract: what a pod must carry to use GPUs of a pool and the rails of its fabric.

Every workload part builds its pods here, so that the contract is decided once. Source of the list: device
request, networks, IPC_LOCK, /dev/shm, huge pages, NCCL settings, tolerations, architecture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components import quantities
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import FabricOffer, PoolOffer, Taint
from aifactory.components.values import SecretRef

Tree = dict[str, object]

NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks"
ARCHITECTURE_LABEL = "kubernetes.io/arch"
CLAIM = "gpus"
"""Name of the claim on GPUs inside a pod, where DRA hands them out."""

DAEMON_CPUS = 4
DAEMON_MEMORY_GIB = 16
"""What a node's daemons (network, GPU, metrics, logs) request of what the kubelet leaves to pods. A pod
that asks for all of it fits no node."""

CONTROLLER_CPUS = 4
CONTROLLER_MEMORY_GIB = 16
"""What controllers of the cluster and of our releases get where they have no node of their own: what the releases'
values request and as much again, for bursts of Prometheus and for what the distribution runs. A test adds it up."""

THREADS_PER_CORE = 2
"""CPUs are asked for in whole cores: a kubelet that gives cores to pods refuses half of one."""

SHM_GIB_PER_GPU = 8
UNPRIVILEGED_USER = 1000


class NodeShare(Struct, frozen=True):
    """CPU and memory that belong to a number of GPUs of one node."""

    cpus: int
    memory_mib: int


class PodContract(Struct, frozen=True):
    """What a pod carries besides its program."""

    requests: tuple[tuple[str, str], ...]
    """Requests of its container, and its limits: equal, so that the pod is evicted last and may own its
    cores."""
    device_class: str
    """DeviceClass to claim GPUs of, empty with the device plugin."""
    gpus: int
    networks: tuple[str, ...]
    """NetworkAttachmentDefinitions, one a rail, as `namespace/name`."""
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    settings: str
    """ConfigMap with the fabric's NCCL settings, empty without a fabric."""
    shm_gib: int
    hugepages_2mi_gib: int
    user_id: int
    ipc_lock: bool


class Volume(Struct, frozen=True):
    """A claim of the namespace, the content of an image, or room of the node, and where the container sees it."""

    name: str
    claim: str
    path: str
    image: str = ""
    """Image whose content it is, instead of a claim."""
    scratch_gib: int = 0
    """Room of the node that vanishes with the pod, instead of a claim. Unit: GiB."""
    storage_class: str = ""
    """Class of which that room is a volume, made with the pod. Empty: it is a folder of the node."""
    read_only: bool = False


class Program(Struct, frozen=True):
    """What runs in the pod's container."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    from_pod: tuple[tuple[str, str], ...]
    """Variables that take a field of the pod, such as an annotation."""
    secrets: tuple[tuple[str, SecretRef], ...]
    ports: tuple[tuple[str, int], ...] = ()
    """Ports that it listens on, by name."""
    lifecycle: tuple[tuple[str, Tree], ...] = ()
    """Probes and hooks, by their field of the container."""


def allocatable(pool: PoolOffer) -> NodeShare:
    """What workloads may use of one node of the pool: what the kubelet leaves to pods, without its
    daemons, and without controllers that have no other node."""
    cpus, gib = pool.cpus_per_node - DAEMON_CPUS, pool.memory_gib_per_node - DAEMON_MEMORY_GIB
    if pool.holds_controllers:
        cpus, gib = cpus - CONTROLLER_CPUS, gib - CONTROLLER_MEMORY_GIB
    return NodeShare(max(cpus, 0), max(gib, 0) * 1024)


def node_share(pool: PoolOffer, gpus: int) -> NodeShare:
    """CPU and memory of a pod with `gpus` of a node's GPUs: the same part of the node, in whole cores."""
    node = allocatable(pool)
    cpus = node.cpus * gpus // pool.gpus_per_node
    return NodeShare(cpus - cpus % THREADS_PER_CORE, node.memory_mib * gpus // pool.gpus_per_node)


def default_shm_gib(memory_mib: int, gpus: int) -> int:
    """Shared memory of a pod: 8 GiB a GPU, at most a quarter of its memory, at least 1."""
    return max(1, min(SHM_GIB_PER_GPU * gpus, memory_mib // 4096))


def contract(
    pool: PoolOffer,
    fabric: FabricOffer | None,
    gpus: int,
    *,
    shm_gib: int | None = None,
    hugepages_2mi_gib: int = 0,
    user_id: int | None = None,
) -> PodContract:
    """The contract of a pod with `gpus` whole GPUs of one node. Its memory includes the shared memory, and
    huge pages come out of the node's share."""
    share = node_share(pool, gpus)
    if fabric is not None:
        # Rounded up: a device that buffers in huge pages that its pod doesn't have ends the pod by SIGBUS.
        hugepages_2mi_gib = max(hugepages_2mi_gib, -(-pool.hugepages_2mi_gib * gpus // pool.gpus_per_node))
    memory_mib = share.memory_mib - hugepages_2mi_gib * 1024
    ipc_lock = fabric is not None and fabric.ipc_lock
    requests = {"cpu": quantities.count(share.cpus), "memory": quantities.mib(memory_mib)}
    if hugepages_2mi_gib:
        requests["hugepages-2Mi"] = quantities.gib(hugepages_2mi_gib)
    if not pool.device_claim:
        requests[pool.gpu_resource] = quantities.count(gpus)
    requests.update(_rail_devices(fabric))
    if fabric is not None:
        devices = {name: max(1, each * gpus // pool.gpus_per_node) for name, each in pool.fabric_devices}
        requests.update({name: quantities.count(each) for name, each in devices.items()})
    return PodContract(
        requests=tuple(requests.items()),
        device_class=pool.device_claim,
        gpus=gpus,
        networks=tuple(rail.network for rail in fabric.rails) if fabric else (),
        node_selector=node_selector(pool),
        tolerations=pool.taints,
        settings=fabric.settings_name if fabric else "",
        shm_gib=default_shm_gib(memory_mib, gpus) if shm_gib is None else shm_gib,
        hugepages_2mi_gib=hugepages_2mi_gib,
        user_id=(0 if ipc_lock else UNPRIVILEGED_USER) if user_id is None else user_id,
        ipc_lock=ipc_lock,
    )


def node_selector(pool: PoolOffer) -> tuple[tuple[str, str], ...]:
    """Labels that only nodes of the pool have; on other than amd64 also the architecture, which images
    depend on."""
    labels = dict(pool.node_labels)
    if pool.architecture != "amd64":
        labels[ARCHITECTURE_LABEL] = pool.architecture
    return tuple(labels.items())


def _rail_devices(fabric: FabricOffer | None) -> dict[str, str]:
    """One device of each rail. Rails that share a resource add up."""
    devices: dict[str, int] = {}
    for rail in fabric.rails if fabric else ():
        if rail.resource:
            devices[rail.resource] = devices.get(rail.resource, 0) + 1
    return {name: quantities.count(number) for name, number in devices.items()}


def pod_annotations(contract: PodContract) -> dict[str, str]:
    """Annotations of the pod: the networks that Multus attaches, in order of rails."""
    return {NETWORKS_ANNOTATION: ",".join(contract.networks)} if contract.networks else {}


def claim_spec(contract: PodContract) -> Tree:
    """`spec` of the ResourceClaimTemplate of a pod that gets its GPUs by DRA."""
    exactly = {
        "deviceClassName": contract.device_class,
        "allocationMode": "ExactCount",
        "count": contract.gpus,
    }
    return {"spec": {"devices": {"requests": [{"name": CLAIM, "exactly": exactly}]}}}


def pod_spec(
    contract: PodContract,
    program: Program,
    *,
    service_account: str,
    grace_s: int,
    volumes: tuple[Volume, ...] = (),
    claim_template: str = "",
    restart_policy: str = "Never",
) -> Tree:
    """`spec` of a pod that runs one program under the contract."""
    spec: Tree = {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": restart_policy,
        "terminationGracePeriodSeconds": grace_s,
        "nodeSelector": dict(contract.node_selector),
        "tolerations": [taint.toleration() for taint in contract.tolerations],
        "securityContext": pod_security(contract.user_id, owns_volumes=contract.user_id != 0),
        "containers": [_container(contract, program, volumes)],
        "volumes": _volumes(contract, volumes),
    }
    if contract.device_class:
        spec["resourceClaims"] = [{"name": CLAIM, "resourceClaimTemplateName": claim_template}]
    return spec


def pod_security(user_id: int = UNPRIVILEGED_USER, *, owns_volumes: bool = False) -> Tree:
    """`securityContext` of a pod. `owns_volumes`: it writes to volumes, which then belong to its group."""
    user: Tree = {"runAsUser": user_id, "runAsGroup": user_id}
    if owns_volumes:
        # A volume of terabytes is not chowned file by file at each start.
        user |= {"fsGroup": user_id, "fsGroupChangePolicy": "OnRootMismatch"}
    return {"runAsNonRoot": user_id != 0, **user, "seccompProfile": {"type": "RuntimeDefault"}}


def confined(*capabilities: str) -> Tree:
    """`securityContext` of a container that gets no capability but these."""
    added = {"add": list(capabilities)} if capabilities else {}
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], **added}}


CONTROL_NODES: list[object] = [
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}
]
"""Toleration of control-plane nodes: where all other nodes are tainted GPU nodes, they alone are left for pods without
GPUs."""


def spread(labels: Mapping[str, str], over: str = HOSTNAME_LABEL) -> Tree:
    """Topology spread that keeps pods with these labels apart while there is room."""
    return {
        "maxSkew": 1,
        "topologyKey": over,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
    }


def _container(contract: PodContract, program: Program, volumes: tuple[Volume, ...]) -> Tree:
    resources: Tree = {"requests": dict(contract.requests), "limits": dict(contract.requests)}
    if contract.device_class:
        resources["claims"] = [{"name": CLAIM}]
    container: Tree = {"name": program.name, "image": program.image}
    if program.command:
        container["command"] = list(program.command)
    if program.args:
        container["args"] = list(program.args)
    if program.ports:
        container["ports"] = [{"name": name, "containerPort": port} for name, port in program.ports]
    if contract.settings:
        container["envFrom"] = [{"configMapRef": {"name": contract.settings}}]
    return {
        **container,
        "env": variables(program),
        "resources": resources,
        "securityContext": confined(*(["IPC_LOCK"] if contract.ipc_lock else [])),
        "volumeMounts": [
            *({"name": name, "mountPath": path} for name, path in _memory_mounts(contract)),
            *mounts(volumes),
        ],
        **dict(program.lifecycle),
    }


def mounts(volumes: Iterable[Volume]) -> list[Tree]:
    """`volumeMounts` of a container."""
    return [
        {"name": volume.name, "mountPath": volume.path, **({"readOnly": True} if volume.read_only else {})}
        for volume in volumes
    ]


def variables(program: Program) -> list[Tree]:
    """`env` of a container."""
    found: list[Tree] = [{"name": name, "value": value} for name, value in program.environment]
    for name, path in program.from_pod:
        found.append({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
    for name, reference in program.secrets:
        found.append({"name": name, "valueFrom": {"secretKeyRef": reference}})
    return found


def _memory_mounts(contract: PodContract) -> list[tuple[str, str]]:
    mounts = [("shm", "/dev/shm")]  # noqa: S108 - where programs look for shared memory
    return [*mounts, ("hugepages", "/dev/hugepages")] if contract.hugepages_2mi_gib else mounts


def _volumes(contract: PodContract, volumes: tuple[Volume, ...]) -> list[Tree]:
    shm: Tree = {"medium": "Memory", "sizeLimit": quantities.gib(contract.shm_gib)}
    found: list[Tree] = [{"name": "shm", "emptyDir": shm}]
    if contract.hugepages_2mi_gib:
        found.append({"name": "hugepages", "emptyDir": {"medium": "HugePages-2Mi"}})
    return [*found, *sources(volumes)]


def sources(volumes: Iterable[Volume]) -> list[Tree]:
    """`volumes` of a pod."""
    return [{"name": volume.name, **_source(volume)} for volume in volumes]


def _source(volume: Volume) -> Tree:
    if volume.image:
        return {"image": {"reference": volume.image, "pullPolicy": "IfNotPresent"}}
    if volume.storage_class:
        return {"ephemeral": {"volumeClaimTemplate": {"spec": _own_claim(volume)}}}
    if volume.scratch_gib:
        return {"emptyDir": {"sizeLimit": quantities.gib(volume.scratch_gib)}}
    claim: Tree = {"claimName": volume.claim}
    return {"persistentVolumeClaim": {**claim, "readOnly": True} if volume.read_only else claim}


def _own_claim(volume: Volume) -> Tree:
    """A claim that the pod owns: it is deleted with it, and its volume by the reclaim policy of the class."""
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": volume.storage_class,
        "resources": {"requests": {"storage": quantities.gib(volume.scratch_gib)}},
    }
