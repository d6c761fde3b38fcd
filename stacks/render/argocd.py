"""Argo CD: an app of apps. One Application a release and one a wave step, ordered by sync waves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aifactory.components import names
from aifactory.components.given import Delivery
from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.charts import chart_repository
from aifactory.stacks.render.manifests import Step
from aifactory.stacks.render.yaml import dump

_RETRY = {"limit": 20, "backoff": {"duration": "30s", "factor": 2, "maxDuration": "10m"}}
_SYNC_OPTIONS = ["ServerSideApply=true", "SkipDryRunOnMissingResource=true", "RespectIgnoreDifferences=true"]


def argocd_files(stack: Stack, ordered: list[Step]) -> Iterator[tuple[str, str]]:
    """The files below `argocd/`: `root.yaml` to apply once, and the applications it finds."""
    delivery = stack.plan.place.delivery
    if delivery is None:
        return
    folder = f"{delivery.path.rstrip('/')}/{stack.name}"
    root = _application(stack, delivery, stack.name, order=0, labels=_labels(stack, "root"))
    root["spec"]["source"] = _source(delivery, f"{folder}/argocd/apps")
    root["spec"]["destination"]["namespace"] = delivery.argocd_namespace
    yield "argocd/root.yaml", dump(root)
    for order, (name, application) in enumerate(_applications(stack, delivery, folder, ordered), start=1):
        application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = str(order)
        yield f"argocd/apps/{order:02d}-{name}.yaml", dump(application)


def _applications(
    stack: Stack, delivery: Delivery, folder: str, ordered: list[Step]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for step in ordered:
        for release in step.releases:
            yield release.name, _release(stack, delivery, release)
        if step.objects:
            name = f"{step.wave}-{step.number}"
            application = _application(
                stack, delivery, f"{stack.name}-{name}", labels=_labels(stack, step.wave)
            )
            source = _source(delivery, f"{folder}/manifests/{step.wave}")
            files = [step.file(part) for part, _ in step.objects]
            source["directory"] = {"include": files[0] if len(files) == 1 else "{" + ",".join(files) + "}"}
            application["spec"]["source"] = source
            yield name, application


def _release(stack: Stack, delivery: Delivery, row: HelmRow) -> dict[str, Any]:
    application = _application(stack, delivery, f"{stack.name}-{row.name}", labels=_labels(stack, row.part))
    repository = chart_repository(row) or row.repository.removeprefix("oci://")
    application["spec"]["source"] = {
        "repoURL": repository,
        "chart": row.chart,
        "targetRevision": row.version,
        "helm": {"releaseName": row.name, "valuesObject": stack.plain_tree(row)},
    }
    application["spec"]["destination"]["namespace"] = row.namespace
    return application


def _application(
    stack: Stack, delivery: Delivery, name: str, *, labels: dict[str, str], order: int = 0
) -> dict[str, Any]:
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
            # No pruning and no self-healing: a deletion of hardware drivers is a person's decision.
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
