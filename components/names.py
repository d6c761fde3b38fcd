"""Names, labels and type tokens. They are forever: a change replaces what users run, and a test pins them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAME_CHARS = 40

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=NAME_CHARS)]
"""A name that every target takes as it is: a letter, then letters, digits and -, lower case, 40 at most."""

POOL_LABEL = "aifactory.io/pool"
BLOCK_LABEL = "aifactory.io/block"
RACK_LABEL = "aifactory.io/rack"
HOSTNAME_LABEL = "kubernetes.io/hostname"
ACCELERATOR_LABEL = "aifactory.io/accelerator"
TENANT_LABEL = "aifactory.io/tenant"
MODEL_LABEL = "aifactory.io/model"
SERVING_LABEL = "aifactory.io/serving"
DATA_CLASS_LABEL = "aifactory.io/data-class"
MODEL_REPOSITORY_ANNOTATION = "aifactory.io/model-repository"
MODEL_DIGEST_ANNOTATION = "aifactory.io/model-digest"
OVERRIDE_ANNOTATION = "aifactory.io/override"
MANAGED_NAMESPACE_LABEL = "kueue.x-k8s.io/managed-namespace"


Layer = Literal["base", "platform"]
"""`base` holds what a cloud is asked for, the cluster among it; `platform` what stands in the cluster."""


def stack_name(factory: str, site: str, layer: Layer = "platform") -> str:
    """The Pulumi stack of one layer at one site."""
    return f"{factory}-{site}-{layer}"


def labels(factory: str, site: str, part: str) -> dict[str, str]:
    """What every object of ours carries, so that it can be found, charged and removed."""
    return {
        "app.kubernetes.io/managed-by": "aifactory",
        "app.kubernetes.io/part-of": factory,
        "aifactory.io/site": site,
        "aifactory.io/part": part,
    }


def component_type(layer: int, kind: str) -> str:
    """The Pulumi type of a part's component: `gpu-node-pool` of layer 1 is `aifactory:layer1:GpuNodePool`."""
    return f"aifactory:layer{layer}:{''.join(word.capitalize() for word in kind.split('-'))}"


def kubernetes_token(api_version: str, kind: str) -> str:
    """The Pulumi type of a Kubernetes object, as the typed SDK classes spell it (`core/v1` for `v1`)."""
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group_version}:{kind}"


HELM_RELEASE_TOKEN = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a Pulumi type token, no secret


def object_id(api_version: str, kind: str, namespace: str, name: str) -> str:
    """The identity of an object in a stack: `ClusterQueue.kueue.x-k8s.io/research`, `ConfigMap/ml/nccl`."""
    group = api_version.rpartition("/")[0]
    kind_group = f"{kind}.{group}" if group else kind
    return f"{kind_group}/{namespace}/{name}" if namespace else f"{kind_group}/{name}"


def release_id(namespace: str, name: str) -> str:
    """The identity of a Helm release in a stack."""
    return f"Release/{namespace}/{name}"


def cloud_id(token: str, name: str) -> str:
    """The identity of a cloud resource in a stack: `aws:ec2/vpc:Vpc/main`."""
    return f"{token}/{name}"


OWNER_TAGS = ("aifactory:factory", "aifactory:site")
"""Tags of a cloud resource that say whose it is."""


def tags(factory: str, site: str, part: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What every taggable resource of a cloud carries, so that it can be found, charged and removed.

    `more` are tags such as `aifactory:tenant`, `aifactory:data-class` and `aifactory:cost-centre`.
    """
    found = {
        "aifactory:factory": factory,
        "aifactory:site": site,
        "aifactory:part": part,
        "aifactory:managed-by": "aifactory",
    }
    return {**found, **(more or {})}


def resource_name(part: str, namespace: str, name: str) -> str:
    """The Pulumi name of a row: unique in its part, and readable in a preview."""
    return f"{part}/{namespace}/{name}" if namespace else f"{part}/{name}"
