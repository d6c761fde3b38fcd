"""What a blueprint may say about the fabric of its sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice

ArchiveUrl = Annotated[
    str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/%+-]+$", max_length=400)
]
"""An address without credentials, query or fragment."""


class NcclOverrides(Spec):
    """The few NCCL settings that a person who measured may set. The rest follows from the fabric."""

    ib_timeout: int | None = Field(default=None, ge=14, le=31)
    """NCCL_IB_TIMEOUT: how long a lost packet is waited for, 4.096 us x 2^n. Default: NCCL's own, 20.

    Source: NCCL environment variables, NCCL_IB_TIMEOUT.
    """

    ib_retry_count: int | None = Field(default=None, ge=1, le=7)
    """NCCL_IB_RETRY_CNT: how often a lost packet is sent again. Default: NCCL's own, 7."""

    ib_qps_per_connection: int | None = Field(default=None, ge=1, le=128)
    """NCCL_IB_QPS_PER_CONNECTION: more queue pairs spread one flow over more paths. Default: NCCL's own,
    1."""

    ib_split_data_on_qps: bool | None = None
    """NCCL_IB_SPLIT_DATA_ON_QPS: whether each message is cut over the queue pairs. Default: NCCL's own,
    no."""

    socket_interface: str = Field(default="eth0", pattern=r"^[=^]?[a-zA-Z0-9_.,-]{1,60}$")
    """NCCL_SOCKET_IFNAME: the pod interface that carries NCCL's bootstrap.

    Default eth0: the name that cluster networks give the first interface of a pod, which all pods can reach.
    """


class Firmware(Spec):
    """Firmware that the NICs of one model must have. It is compared and reported, never written: an update
    needs a maintenance window."""

    nic_model: Literal["connectx-6", "connectx-7", "connectx-8", "bluefield-3"]
    """Model of the NICs."""

    archives: list[ArchiveUrl] = Field(min_length=1, max_length=16)
    """Firmware archives (.zip), reachable from the cluster."""


class FabricSpec(PartSpec):
    """The network between GPUs of different nodes.

    The site says what it has, so a blueprint writes a fabric only to set policy on it: every field has a
    default.
    """

    kind: Literal["fabric"] = "fabric"
    """Kind of the part."""

    name: Name = "fabric"
    """Name of the part, unique in the blueprint. Default fabric: a site derives one of this name."""

    type: Literal["any", "roce", "infiniband", "efa"] = "any"
    """Which fabric of the site. Default any: the one it has. A site with both needs the choice."""

    virtual_functions: int = Field(default=8, ge=1, le=127)
    """Virtual functions of each NIC where the site hands NICs out by SR-IOV: so many pods of a node can use a
    rail at once. Excluded elsewhere, and then without effect.

    Unit: functions per NIC, at most 127. Default 8: a pod for each GPU of an eight-GPU node.
    Source: NVIDIA/k8s-launch-kit l8k-config.yaml; ConnectX-7 firmware release notes, VF limitations.
    """

    memory_lock: Literal["host", "capability"] = "host"
    """How pods may pin memory for RDMA. `host` lifts the limit of locked memory in the container runtime, so
    workloads stay unprivileged. `capability` gives pods IPC_LOCK, and their namespaces become privileged.

    Default host: a tenant's pods need no capability.
    """

    nodes_at_a_time: int = Field(default=1, ge=1, le=64)
    """Nodes of the site that may be drained at once for a NIC driver, a firmware setting or virtual
    functions.

    Default 1: a gang loses at most one node. Raise it for the first installation of a large site.
    """

    nic_configuration: bool = True
    """Whether an operator keeps the NICs' settings: link type, virtual functions, PCIe reads, PFC, trust.

    False leaves them to whoever sets the hosts up. Default true: a NIC that was replaced gets them again.
    """

    firmware: list[Firmware] = Field(default=[], max_length=4)
    """Firmware to compare the NICs with. Default none. Needs nic_configuration."""

    firmware_storage_class: Name | None = None
    """StorageClass that holds the firmware archives; each node reads them, so it must serve ReadWriteMany.
    Default: the first class of the site that does."""

    nccl: NcclOverrides = NcclOverrides()
    """NCCL settings that were measured to be better. Default none: what follows from the fabric."""

    @truth
    def _firmware_is_read_by_the_nic_operator(self) -> Iterator[Misfit]:
        if self.firmware and not self.nic_configuration:
            yield Misfit(
                "firmware is compared by the NIC operator, which this fabric does without",
                "set nic_configuration to true, or drop firmware",
                ("nic_configuration",),
            )

    @truth
    def _a_model_has_one_firmware(self) -> Iterator[Misfit]:
        models: list[str] = [firmware.nic_model for firmware in self.firmware]
        for index in twice(models):
            yield Misfit(
                f"{models[index]} is named twice",
                "list all archives of a model in one entry",
                ("firmware", index, "nic_model"),
            )
