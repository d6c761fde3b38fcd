"""What stands on each object of a served model: whose it is, which model, and which weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components import names
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability
from aifactory.components.serving.decided import ServingPlan

UNKNOWN = "null"
"""What stands where nobody stated a digest: visible, and never made up."""


class Marks(Struct, frozen=True):
    """Makes objects of one model with its labels and annotations."""

    maker: Maker
    namespace: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @classmethod
    def of(cls, plan: ServingPlan, maker: Maker) -> Marks:
        """The marks of a plan."""
        labels = {names.MODEL_LABEL: plan.model, names.SERVING_LABEL: plan.identity}
        if plan.tenant:
            labels[names.TENANT_LABEL] = plan.tenant
        if plan.data_class:
            labels[names.DATA_CLASS_LABEL] = plan.data_class
        annotations = {
            names.MODEL_REPOSITORY_ANNOTATION: plan.weights.repository,
            names.MODEL_DIGEST_ANNOTATION: plan.weights.digest or UNKNOWN,
        }
        return cls(maker, plan.namespace, labels, annotations)

    def object(
        self,
        api_version: str,
        kind: str,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        spec: object = None,
        after: Iterable[str] = (),
        gate: Gate | None = None,
        keep: bool = False,
        timeout_s: int = 0,
    ) -> KubernetesRow:
        """One object in the model's namespace. `keep` protects what holds data."""
        return self.maker.kubernetes(
            api_version,
            kind,
            name,
            self.namespace,
            labels={**self.labels, **(labels or {})},
            annotations={**self.annotations, **(annotations or {})},
            body=body,
            spec=spec,
            after=after,
            gate=gate,
            protect=keep,
            retain_on_delete=keep,
            timeout_s=timeout_s,
        )

    def budget(self, name: str, selector: Mapping[str, str], **limit: int) -> KubernetesRow:
        """A disruption budget: `maxUnavailable` or `minAvailable` of the pods of a selector."""
        always = "AlwaysAllow"
        spec: Tree = {**limit, "selector": {"matchLabels": dict(selector)}, "unhealthyPodEvictionPolicy": always}
        return self.object("policy/v1", "PodDisruptionBudget", name, spec=spec)

    def monitor(self, name: str, selector: Mapping[str, str], port: str, copied: Iterable[str] = ()) -> KubernetesRow:
        """Metrics of the pods of a selector. They count tokens and time, and hold no text."""
        spec: Tree = {
            "selector": {"matchLabels": dict(selector)},
            "namespaceSelector": {"matchNames": [self.namespace]},
            **({"podTargetLabels": list(copied)} if copied else {}),
            "podMetricsEndpoints": [{"port": port, "path": "/metrics", "interval": "15s"}],
        }
        after = [capability("metrics")]
        return self.object("monitoring.coreos.com/v1", "PodMonitor", name, spec=spec, after=after)

    def template(self, spec: Tree, *, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Tree:
        """A pod template. Labels of the selector go to pods that answer requests alone."""
        shared = {key: value for key, value in self.labels.items() if key != names.SERVING_LABEL}
        metadata: Tree = {
            "labels": {**self.maker.pod_labels(), **shared, **labels},
            "annotations": {**self.annotations, **(annotations or {})},
        }
        return {"metadata": metadata, "spec": spec}
