"""A small made-up set of rows, with one of everything that the adapter must treat."""

from __future__ import annotations

from typing import Any

from aifactory.components.rows import Gate, HelmRow, HostRow, KubernetesRow, Maker, Row, Wave
from aifactory.components.values import Format, Json, Ref, SecretRef
from aifactory.stacks.assembly.rowset import ClusterEntry, PartEntry, RowSet

STACK = "demo-lab-platform"
PLACE = f"urn:pulumi:{STACK}::aifactory::"
FACTORY = f"{PLACE}aifactory:index:AiFactory::demo"
PROVIDER = f"{PLACE}aifactory:index:AiFactory$pulumi:providers:kubernetes::demo-lab"
POOL = "aifactory:index:AiFactory$aifactory:layer1:GpuNodePool"
QUEUE = "aifactory:index:AiFactory$aifactory:layer2:Queue"

POOL_MAKER = Maker("demo", "lab", "train", Wave.HARDWARE)
QUEUE_MAKER = Maker("demo", "lab", "teams", Wave.SCHEDULING)

NAMESPACE = POOL_MAKER.kubernetes("v1", "Namespace", "ml", wave=Wave.FOUNDATION, protect=True)
RELEASE = HelmRow(
    id="Release/ml/operator",
    part="train",
    wave=Wave.TRUST,
    name="operator",
    namespace="ml",
    chart="operator",
    repository="oci://registry.example.com/charts",
    version="1.2.3",
    values={"replicas": 2, "watch": [Ref(NAMESPACE.id, "metadata.name")], "nested": {"on": True}},
    after=(NAMESPACE.id,),
    timeout_s=300,
)
HOST = HostRow("host/train/grub", "train", ("node-1",), "/etc/default/grub.d/x.cfg", "x", "needs it")
POLICY = POOL_MAKER.kubernetes(
    "example.com/v1",
    "Policy",
    "rails",
    annotations={"example.com/kept": "yes"},
    spec={
        "namespace": Ref(NAMESPACE.id, "metadata.name"),
        "target": Format(("ns-", Ref(NAMESPACE.id, "metadata.name"), "-x")),
        "ipam": Json({"z": 1, "name": Ref(NAMESPACE.id, "metadata.name"), "a": [True, None]}),
        "plain": Json({"z": 1, "a": "ü"}),
        "secret": SecretRef("credentials", "token"),
        "list": [1, {"inner": Format(("a", "b"))}],
    },
    after=(RELEASE.id, HOST.id),
    gate=Gate(path=".status.state", value="ready", timeout_s=1200),
)
CLAIM = QUEUE_MAKER.kubernetes(
    "v1",
    "PersistentVolumeClaim",
    "data",
    "ml",
    spec={"accessModes": ["ReadWriteOnce"]},
    after=(NAMESPACE.id, POLICY.id),
    gate=Gate(condition="Bound", timeout_s=60),
    protect=True,
    retain_on_delete=True,
    timeout_s=90,
)
ROWS: tuple[Row, ...] = (NAMESPACE, RELEASE, HOST, POLICY, CLAIM)
PARTS = (PartEntry("train", "gpu-node-pool", 1, ""), PartEntry("teams", "queue", 2, ""))


def row_set(**changes: Any) -> RowSet:
    """The rows as one set. `changes` replace its fields."""
    fields: dict[str, Any] = {
        "stack": STACK,
        "factory": "demo",
        "site": "lab",
        "plan_digest": "sha256:0",
        "cluster": ClusterEntry("~/.kube/config", "lab", "demo-lab"),
        "parts": PARTS,
        "rows": ROWS,
        "steps": {row.id: 0 for row in ROWS},
        "outputs": {
            "plan_digest": "sha256:0",
            "namespaces": {"ml": Ref(NAMESPACE.id, "metadata.name")},
            "releases": {"ml/operator": Ref(RELEASE.id, "version")},
        },
    }
    return RowSet(**{**fields, **changes})


def objects() -> list[KubernetesRow]:
    """The Kubernetes objects among the rows."""
    return [row for row in ROWS if isinstance(row, KubernetesRow)]
