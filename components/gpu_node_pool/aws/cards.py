"""What an instance type is: its interfaces, its pods and its drives."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row
from aifactory.components.gpu_node_pool.aws.model import NetworkCard

PODS_AT_MOST = 110
"""Pods of a node that Kubernetes is tested with. Source: kubernetes.io docs, considerations for large clusters."""
PRIMARY = NetworkCard(0, 0, "interface")


class InstanceFacts(Struct, frozen=True):
    """An instance type, as far as a pool depends on it."""

    row: Row
    network: Row | None

    @property
    def refs(self) -> tuple[str, ...]:
        """Catalog rows it rests on."""
        return (self.row.ref, *((self.network.ref,) if self.network else ()))

    @property
    def accelerators(self) -> int:
        """Accelerators of a node."""
        return self.row.count("accelerator_count")

    @property
    def cpus(self) -> int:
        """CPU threads of a node."""
        return self.row.count("vcpu")

    @property
    def memory_gib(self) -> int:
        """Memory of a node. Unit: GiB."""
        return self.row.count("memory_mib") // 1024

    @property
    def efa_devices(self) -> int:
        """EFA interfaces that a node can have, 0 where it has none or no source says how many."""
        return int(self.row.number_or_zero("efa_devices"))

    @property
    def has_drives(self) -> bool:
        """Whether a node has local NVMe drives."""
        return self.row.number_or_zero("local_nvme_gb") > 0

    @property
    def addresses_per_interface(self) -> int:
        """Addresses that an interface takes, 0 where no source says."""
        return int(self.network.number_or_zero("addresses_per_interface")) if self.network else 0

    def cards(self, *, efa: bool) -> tuple[NetworkCard, ...] | None:
        """Interfaces of a node; None where EFA is wanted and its layout isn't known.

        The first interface of card 0 carries IP, and each card with EFA has one efa-only interface, which takes no
        address. Source: Amazon EC2 User Guide, efa-acc-inst-types.
        """
        if not efa:
            return (PRIMARY,)
        first = self.network.value("efa_from_card") if self.network else None
        if not self.efa_devices or not isinstance(first, int):
            return None
        others = (
            NetworkCard(card, 1 if card == 0 else 0, "efa-only") for card in range(first, first + self.efa_devices)
        )
        return (PRIMARY, *others)

    def pods(self, cards: tuple[NetworkCard, ...]) -> int | None:
        """Pods that a node can have; None where no source says how many addresses it takes.

        Only interfaces of card 0 have addresses for pods, and one of EFA there leaves one fewer. All addresses but the
        first of each, and two pods on the host's network. Source: aws/amazon-vpc-cni-k8s misc/eni-max-pods.txt.
        """
        interfaces = int(self.network.number_or_zero("interfaces")) if self.network else 0
        if not interfaces or not self.addresses_per_interface:
            return None
        taken = sum(card.card == 0 and card.kind == "efa-only" for card in cards)
        return min((interfaces - taken) * (self.addresses_per_interface - 1) + 2, PODS_AT_MOST)


def facts_of(catalog: Catalog, instance_type: str) -> InstanceFacts:
    """What the catalog knows of a type."""
    return InstanceFacts(
        catalog.row("aws-instances", instance_type), catalog.find("aws-instances.networks", instance_type)
    )
