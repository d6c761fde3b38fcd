"""Argo CD: an app of apps. One Application a release and one a step of a wave, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aifactory.components import names
from aifactory.components.given import Delivery
from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.argocd_health import health_checks
from aifactory.stacks.render.charts import chart_repository, release_labels
from aifactory.stacks.render.manifests import Step
from aifactory.stacks.render.yaml import dump

_RETRY = {"limit": 20, "backoff": {"duration": "30s", "factor": 2, "maxDuration": "10m"}}
# Definitions are larger than the annotation of a client-side apply may be, and kinds arrive with earlier waves.
_SYNC_OPTIONS = ["ServerSideApply=true", "SkipDryRunOnMissingResource=true", "RespectIgnoreDifferences=true"]
_SUSPENDED = ("Job", "JobSet")
"""Kinds whose `suspend` is Kueue's to write."""


def argocd_files(stack: Stack, ordered: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """The files below `argocd/`: settings of Argo CD, `root.yaml` to apply once, and the applications it finds."""
    delivery = delivered_by(stack)
    if delivery is None:
        return
    folder = f"{delivery.path.strip('/')}/{stack.name}"
    yield "argocd/argocd-cm.yaml", dump(_settings(stack, delivery))
    root = _application(delivery, stack.name, _labels(stack, "root"), order=0)
    root["spec"]["source"] = _source(delivery, f"{folder}/argocd/apps")
    root["spec"]["destination"]["namespace"] = delivery.argocd_namespace
    yield "argocd/root.yaml", dump(root)
    found = list(_applications(stack, delivery, folder, ordered))
    width = max(2, len(str(len(found))))
    for order, (name, application) in enumerate(found, start=1):
        application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = str(order)
        yield f"argocd/apps/{order:0{width}}-{name}.yaml", dump(application)


def delivered_by(stack: Stack) -> Delivery | None:
    """How Argo CD takes the folder; None without `delivery`, and while files of it hold placeholders of the base.

    Argo CD applies what is committed: nothing there would keep a placeholder from a cluster, as `apply.sh` does.
    """
    return None if stack.awaited else stack.plan.place.delivery


def _settings(stack: Stack, delivery: Delivery) -> dict[str, Any]:
    """What must be in the ConfigMap of Argo CD: without it, a wave begins before the one before is healthy."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": delivery.argocd_namespace},
        "data": health_checks(stack),
    }


def _applications(
    stack: Stack, delivery: Delivery, folder: str, ordered: Sequence[Step]
) -> Iterator[tuple[str, dict[str, Any]]]:
    labels = release_labels(stack)
    for step in ordered:
        for release in step.releases:
            yield labels[release.id], _release(stack, delivery, release, labels[release.id])
        if step.objects:
            name = f"{step.wave}-{step.number}"
            application = _application(delivery, f"{stack.name}-{name}", _labels(stack, step.wave))
            files = [step.file(part) for part, _ in step.objects]
            include = files[0] if len(files) == 1 else "{" + ",".join(files) + "}"
            # `directory` also keeps Argo CD from taking the folder for a kustomization, which has every step.
            source = _source(delivery, f"{folder}/manifests/{step.wave}") | {"directory": {"include": include}}
            application["spec"]["source"] = source
            if ignored := _ignored(step):
                application["spec"]["ignoreDifferences"] = ignored
            yield name, application


def _release(stack: Stack, delivery: Delivery, row: HelmRow, label: str) -> dict[str, Any]:
    application = _application(delivery, f"{stack.name}-{label}", _labels(stack, row.part))
    application["spec"]["source"] = {
        # Argo CD knows a chart in an OCI registry by the missing scheme.
        "repoURL": chart_repository(row) or row.repository.removeprefix("oci://").rstrip("/"),
        "chart": row.chart,
        "targetRevision": row.version,
        "helm": {"releaseName": row.name, "valuesObject": stack.plain_tree(row)},
    }
    application["spec"]["destination"]["namespace"] = row.namespace
    return application


def _ignored(step: Step) -> list[dict[str, Any]]:
    there = sorted(
        {
            (str(row.body["apiVersion"]).partition("/")[0], str(row.body["kind"]))
            for _, rows in step.objects
            for row in rows
            if row.body["kind"] in _SUSPENDED
        }
    )
    return [{"group": group, "kind": kind, "jsonPointers": ["/spec/suspend"]} for group, kind in there]


def _application(delivery: Delivery, name: str, labels: dict[str, str], *, order: int = 0) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": delivery.argocd_namespace,
            "labels": labels,
            "annotations": {"argocd.argoproj.io/sync-wave": str(order)},
        },
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc"},
            "source": {},
            # No pruning, no self-healing, no finalizer: to delete hardware drivers is a person's decision.
            "syncPolicy": {
                "automated": {"prune": False, "selfHeal": False},
                "syncOptions": _SYNC_OPTIONS,
                "retry": _RETRY,
            },
        },
    }


def _source(delivery: Delivery, path: str) -> dict[str, Any]:
    return {"repoURL": delivery.url, "targetRevision": delivery.revision, "path": path}


def _labels(stack: Stack, part: str) -> dict[str, str]:
    return names.labels(stack.plan.factory, stack.plan.place.site, part)
