"""Names are forever: these tests pin them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from aifactory.components import names
from aifactory.components.names import Name

NAME = TypeAdapter(Name)


@pytest.mark.parametrize(
    ("made", "pinned"),
    [
        (names.stack_name("demo", "lab"), "demo-lab-platform"),
        (names.stack_name("demo", "lab", "base"), "demo-lab-base"),
        (names.component_type(1, "gpu-node-pool"), "aifactory:layer1:GpuNodePool"),
        (names.component_type(2, "queue"), "aifactory:layer2:Queue"),
        (names.kubernetes_token("v1", "ConfigMap"), "kubernetes:core/v1:ConfigMap"),
        (
            names.kubernetes_token("rbac.authorization.k8s.io/v1", "ClusterRole"),
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        ),
        (names.object_id("v1", "ConfigMap", "ml", "nccl"), "ConfigMap/ml/nccl"),
        (names.object_id("kueue.x-k8s.io/v1beta2", "Topology", "", "t"), "Topology.kueue.x-k8s.io/t"),
        (names.release_id("kueue-system", "kueue"), "Release/kueue-system/kueue"),
        (names.resource_name("teams", "ml", "main"), "teams/ml/main"),
        (names.resource_name("teams", "", "main"), "teams/main"),
        (names.HELM_RELEASE_TOKEN, "kubernetes:helm.sh/v3:Release"),
        (names.POOL_LABEL, "aifactory.io/pool"),
        (names.BLOCK_LABEL, "aifactory.io/block"),
        (names.RACK_LABEL, "aifactory.io/rack"),
        (names.ACCELERATOR_LABEL, "aifactory.io/accelerator"),
        (names.TENANT_LABEL, "aifactory.io/tenant"),
        (names.OVERRIDE_ANNOTATION, "aifactory.io/override"),
    ],
)
def test_a_name_is_what_it_was_in_the_first_release(made: str, pinned: str) -> None:
    assert made == pinned


def test_every_object_carries_the_labels_that_find_it() -> None:
    assert names.labels("demo", "lab", "train") == {
        "app.kubernetes.io/managed-by": "aifactory",
        "app.kubernetes.io/part-of": "demo",
        "aifactory.io/site": "lab",
        "aifactory.io/part": "train",
    }


@pytest.mark.parametrize("name", ["a", "train", "a-b", "x" * 40, "a1"])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        ".",
        "CON",
        "x" * 41,
        "x" * 300,
        "-dash",
        "dash-",
        ";rm",
        "$(x)",
        "`id`",
        "a\nb",
        "%s",
        "{0}",
        "a_b",
        "a.b",
        "1a",
        "ä",
        "\uff41",
        "a\u200bb",
    ],
)
def test_anything_else_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)
