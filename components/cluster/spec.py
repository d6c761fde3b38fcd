"""The cluster part as written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from aifactory.components.names import Name
from aifactory.components.spec import PartSpec, Spec

CapabilityName = Annotated[str, StringConstraints(pattern=r"^[a-z][-a-z0-9]{1,38}[a-z0-9]$")]
"""Name of a capability, such as cert-manager. `plan` knows the list."""

PodSecurity = Literal["privileged", "baseline", "restricted"]
"""Level of the Kubernetes Pod Security Standards, from the loosest to the strictest."""


class ContainerDefaults(Spec):
    """What a container of a tenant gets when it doesn't say what it needs."""

    cpu_milli: int = Field(default=1000, ge=10, le=256_000)
    """CPU request of a container that states none.

    Unit: thousandths of a CPU. Default 1000: a quota on CPU refuses pods without a request, and one CPU runs
    a shell or a sidecar.
    """

    memory_mib: int = Field(default=2048, ge=16, le=4_194_304)
    """Memory request of a container that states none.

    Unit: MiB. Default 2048: enough for a tool. It is no limit: a limit below a request that a pod states
    would refuse the pod.
    """


class NamespacePolicy(Spec):
    """The baseline of every namespace of ours."""

    weakest_tenant_pod_security: PodSecurity = "privileged"
    """The loosest Pod Security level that a tenant's namespace may have.

    Set baseline to refuse plans whose tenants need more. Default privileged: RDMA may need the capability
    IPC_LOCK, which baseline forbids.
    """

    report_pod_security: PodSecurity = "restricted"
    """Level of the warning and of the audit annotation, beside the one that is enforced.

    Default restricted: a user sees in the answer of kubectl what a pod would have to give up.
    """

    container_defaults: ContainerDefaults = ContainerDefaults()
    """Requests of containers in tenant namespaces that state none. Default: see its fields."""


class ClusterSpec(PartSpec):
    """Policy on the site's cluster. A site has this part even when the blueprint doesn't write it."""

    kind: Literal["cluster"]
    """What this part is."""

    name: Name = "cluster"
    """Name of the part, unique in the blueprint. Default cluster: a site has one."""

    capabilities: list[CapabilityName] = Field(default=[], max_length=32)
    """Capabilities that the factory wants beside those its parts require, such as metrics or gateway-api.

    Each is given by the site or becomes one system release. Default none: only what the parts require.
    """

    webhook_replicas: int | None = Field(default=None, ge=1, le=5)
    """Replicas of controllers that answer admission webhooks.

    Default 2, and 1 at an edge site of one node: with one, draining its node refuses every job of the cluster until it
    runs again; two on the only node fall together. 1 suits a site with one node that is not a GPU node.
    """

    namespaces: NamespacePolicy = NamespacePolicy()
    """Baseline of every namespace of ours. Default: see its fields."""

    @model_validator(mode="after")
    def _capabilities_are_named_once(self) -> Self:
        twice = sorted({name for name in self.capabilities if self.capabilities.count(name) > 1})
        if twice:
            raise ValueError(f"capabilities names {', '.join(twice)} twice; name each once")
        return self
