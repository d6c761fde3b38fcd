"""What the cluster of a flex site takes: pods that say a class of data that may go there."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.names import DATA_CLASS_LABEL
from aifactory.components.rows import KubernetesRow, Maker, Tree
from aifactory.components.values import canonical_json

ADMISSION = "admissionregistration.k8s.io/v1"
GUARD = "aifactory-flex-data-classes"
ACCELERATORS = ("nvidia.com/", "aws.amazon.com/neuron")
"""Beginnings of the resources of accelerators."""


def decide_classes(ctx: PlanContext) -> tuple[str, ...]:
    """Classes of data that may come to the site; none where it is no flex site."""
    flex = ctx.site_plan.flex
    if flex is None or ctx.place.site not in flex.sites:
        return ()
    budget = f", for {flex.when.usd_per_hour:g} USD per hour at most" if flex.when.usd_per_hour else ""
    return ctx.decide(
        "flex.data_classes",
        tuple(flex.data_classes),
        f"a flex site: it is used when no replica at a core site answers{budget}; the API server refuses pods with "
        "accelerators of another class, and of none",
        rejected=[Rejected("the plan alone", "people and controllers make pods that no plan has")],
    )


def guard_rows(classes: tuple[str, ...], maker: Maker) -> Iterator[KubernetesRow]:
    """The API server's own check of each pod: there is no webhook that could be gone."""
    if not classes:
        return
    policy = maker.kubernetes(ADMISSION, "ValidatingAdmissionPolicy", GUARD, spec=guard(classes))
    yield policy
    spec = {"policyName": GUARD, "validationActions": ["Deny"]}
    yield maker.kubernetes(ADMISSION, "ValidatingAdmissionPolicyBinding", GUARD, spec=spec, after=[policy.id])


def guard(classes: tuple[str, ...]) -> Tree:
    """The policy. A pod with devices says a class that may come; one without devices says such a class or none."""
    takes = " || ".join(f"name.startsWith('{begin}')" for begin in ACCELERATORS)
    limits = f"has(c.resources) && has(c.resources.limits) && c.resources.limits.exists(name, {takes})"
    containers = "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])"
    allowed = canonical_json(list(classes))
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ]
        },
        "variables": [
            {
                "name": "dataClass",
                "expression": f"has(object.metadata.labels) && '{DATA_CLASS_LABEL}' in object.metadata.labels ? "
                f"object.metadata.labels['{DATA_CLASS_LABEL}'] : ''",
            },
            {
                "name": "devices",
                "expression": "(has(object.spec.resourceClaims) && object.spec.resourceClaims.size() > 0) || "
                f"({containers}).exists(c, {limits})",
            },
        ],
        "validations": [
            {
                "expression": f"variables.dataClass in {allowed} || (variables.dataClass == '' && !variables.devices)",
                "message": f"this is a flex site, for data of class {', '.join(classes)}: set the label "
                f"{DATA_CLASS_LABEL}, or run it at a core site",
                "reason": "Forbidden",
            }
        ],
    }
