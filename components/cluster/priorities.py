"""Priority classes of ours, and who may not have them: a pod takes any class that its author names."""

from __future__ import annotations

from msgspec.structs import replace

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.model import NamespacePlan, PriorityPlan
from aifactory.components.cluster.providers import Answers, SiteTerms
from aifactory.components.names import TENANT_LABEL
from aifactory.components.offers import QueueOffer

CONTROL_PRIORITY = 900_000_000
"""Above every workload (users may go to 1,000,000,000), below the system classes (2,000,000,000)."""

SYSTEM = ("system-cluster-critical", "system-node-critical")
"""Classes that every cluster has, and that pods of any namespace may name."""


def priorities(ctx: PlanContext, answers: Answers, terms: SiteTerms) -> tuple[PriorityPlan, ...]:
    """Classes of the cluster's own releases."""
    users = sorted(name for name, chosen in answers.chosen.items() if chosen.recipe.uses_priority_class)
    if not users:
        return ()
    ctx.decide(
        "priority_class",
        terms.priority_class,
        f"{', '.join(users)} answer webhooks: they must outlive the workloads they admit, and a class of "
        "ours needs no permission where clusters limit the system classes",
    )
    text = "Controllers that answer admission webhooks; above all workloads, below the system's own."
    return (PriorityPlan(terms.priority_class, CONTROL_PRIORITY, text),)


def barred(
    namespaces: tuple[NamespacePlan, ...], classes: tuple[PriorityPlan, ...], ctx: PlanContext
) -> tuple[NamespacePlan, ...]:
    """Namespaces of tenants without the classes that are not theirs: those of controllers, and of others' servers."""
    queues = [queue for queue in ctx.offers(QueueOffer) if queue.serving_priority]
    ours = {*SYSTEM, *(each.name for each in classes), *(queue.serving_priority for queue in queues)}
    theirs = {
        tenant.namespace: queue.serving_priority
        for queue in queues
        for tenant in queue.tenants
        if tenant.workload == "inference"
    }
    found = tuple(
        replace(each, barred_priorities=tuple(sorted(ours - {theirs.get(each.name, "")})))
        if TENANT_LABEL in dict(each.labels)
        else each
        for each in namespaces
    )
    if any(each.barred_priorities for each in found):
        ctx.decide(
            "foreign_priorities",
            "none",
            "a quota of no pods keeps tenants from priority classes that would stop servers and controllers for jobs",
            rejected=[Rejected("trust", "any pod may name any class: one line of a job would stop a model")],
        )
    return found
