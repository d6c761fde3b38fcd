"""Namespaces of ours: what several parts ask of one name, made one, with the baseline that each of them
gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from aifactory.components import names, quantities
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.cluster.model import STRICTNESS, NamespacePlan, PodSecurity, Traffic
from aifactory.components.cluster.providers import Answers, Chosen
from aifactory.components.cluster.spec import NamespacePolicy
from aifactory.components.problems import nearest

CLUSTER_OWN = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has before us."""
CLUSTER_OWN_PREFIXES = ("kube-", "openshift-")
EGRESS = ("dns", "namespace", "api", "any")

PODS_PER_NODE = 40
FEWEST_PODS = 1000


class Gathered(Struct):
    """What all parts ask of one namespace."""

    name: str
    requests: list[NamespaceRequest] = field(default_factory=list)
    releases: list[Chosen] = field(default_factory=list)
    """Releases of ours that run there."""


def planned_namespaces(
    ctx: PlanContext,
    requests: Iterable[NamespaceRequest],
    answers: Answers,
    policy: NamespacePolicy,
    labels_of_distribution: Iterable[tuple[str, str]],
) -> tuple[NamespacePlan, ...] | None:
    """Every namespace of ours, decided; None when requests contradict each other. Linear in their number."""
    gathered = _gathered(requests, answers)
    given = {plan.namespace: plan.capability for plan in answers.given.values() if plan.namespace}
    planned: list[NamespacePlan] = []
    sound = _not_the_clusters_own(ctx, gathered)
    strict = _strict_enough(ctx, gathered.values(), policy)
    _say_what_tenants_get(ctx, gathered.values())
    extra = tuple(labels_of_distribution)
    for name in sorted(gathered):
        # What only definitions come from, such as the Gateway API, may share its namespace with a release of ours.
        if name in given and not gathered[name].releases:
            ctx.decide(
                f"namespace.{name}",
                "given",
                f"it belongs to {given[name]}, which the site gives; nothing of ours makes it",
            )
            continue
        plan = _planned(ctx, gathered[name], answers, policy, extra)
        sound = sound and plan is not None
        if plan is not None:
            planned.append(plan)
    return tuple(planned) if sound and strict else None


def critical_pods(nodes: int) -> int:
    """Pods that may use a system priority class: a permission, not a limit, so far above what a node can
    run of them."""
    return max(FEWEST_PODS, nodes * PODS_PER_NODE)


def _gathered(requests: Iterable[NamespaceRequest], answers: Answers) -> dict[str, Gathered]:
    found: dict[str, Gathered] = {}
    for chosen in answers.chosen.values():
        name = chosen.release.namespace
        found.setdefault(name, Gathered(name)).releases.append(chosen)
    for request in requests:
        found.setdefault(request.name, Gathered(request.name)).requests.append(request)
    return found


def _not_the_clusters_own(ctx: PlanContext, gathered: Mapping[str, Gathered]) -> bool:
    own = sorted(name for name in gathered if name in CLUSTER_OWN or name.startswith(CLUSTER_OWN_PREFIXES))
    asked = {name: gathered[name].requests[0].part for name in own if gathered[name].requests}
    return ctx.check(
        "CLU-011",
        not own,
        lambda: "; ".join(
            f"part {asked.get(name, ctx.part)} wants namespace {name}, which is the cluster's" for name in own
        ),
        hint="choose a name that doesn't begin with kube- or openshift-, and is not default",
    )


def _strict_enough(ctx: PlanContext, gathered: Iterable[Gathered], policy: NamespacePolicy) -> bool:
    weakest = policy.weakest_tenant_pod_security
    below = [
        (item.name, _loosest(item))
        for item in gathered
        if any(request.tenant for request in item.requests)
        and STRICTNESS.index(_loosest(item)) < STRICTNESS.index(weakest)
    ]
    return ctx.check(
        "CLU-009",
        not below,
        lambda: (
            f"tenant namespace {below[0][0]} needs Pod Security {below[0][1]}, below {weakest}"
            + (f", and {len(below) - 1} others do" if len(below) > 1 else "")
        ),
        ("namespaces", "weakest_tenant_pod_security"),
        f"set it to {below[0][1]}, or leave out what needs it" if below else "",
    )


def _say_what_tenants_get(ctx: PlanContext, gathered: Iterable[Gathered]) -> None:
    """Once for all of them: there may be thousands."""
    if any(request.tenant for item in gathered for request in item.requests):
        ctx.decide(
            "tenant_namespaces",
            "protected",
            "deleting a namespace deletes the volumes in it, checkpoints included; `destroy` stops there "
            "until somebody lifts the protection",
            rejected=[Rejected("deleted with the stack", "a changed tenant name would delete a team's data")],
        )


def _loosest(item: Gathered) -> PodSecurity:
    needed = {str(request.pod_security) for request in item.requests}
    needed |= {str(chosen.recipe.pod_security) for chosen in item.releases}
    return next(level for level in STRICTNESS if level in needed)


def _planned(
    ctx: PlanContext,
    item: Gathered,
    answers: Answers,
    policy: NamespacePolicy,
    extra_labels: tuple[tuple[str, str], ...],
) -> NamespacePlan | None:
    tenant = _one(ctx, item, "tenant", [(r.tenant, r.part) for r in item.requests if r.tenant])
    labels = _agreed(ctx, item, "label", lambda request: request.labels)
    quota = _agreed(ctx, item, "quota", lambda request: request.quota)
    if tenant is None or labels is None or quota is None:
        return None
    level = _loosest(item)
    purpose = "; ".join(dict.fromkeys([c.recipe.purpose for c in item.releases] + [r.purpose for r in item.requests]))
    ctx.decide(f"namespace.{item.name}", level, _why(item, level, purpose))
    for chosen in item.releases:
        labels.update(chosen.recipe.labels)
        ctx.decide(f"namespace.{item.name}.reaches", chosen.recipe.to, chosen.recipe.to_why)
    labels.update(_security_labels(level, policy, ctx.place.cluster.version, tenant), **dict(extra_labels))
    critical = any(chosen.recipe.critical_pods for chosen in item.releases)
    return NamespacePlan(
        name=item.name,
        purpose=purpose,
        labels=tuple(sorted((labels | ({names.TENANT_LABEL: tenant} if tenant else {})).items())),
        traffic=_traffic(item, answers),
        quota=tuple(sorted(quota.items())),
        critical_pods=critical_pods(ctx.place.node_count) if critical else 0,
        default_requests=_default_requests(policy) if tenant else (),
        default_limits=_default_limits(policy, quota) if tenant else (),
        pod_egress=(
            *(some for chosen in item.releases for some in chosen.recipe.pod_egress),
            *(some for request in item.requests for some in request.pod_egress),
        ),
        protect=bool(tenant) or any(request.holds_data for request in item.requests),
    )


def _why(item: Gathered, level: str, purpose: str) -> str:
    """The widest need decides, and who has it."""
    needing = [request.part for request in item.requests if request.pod_security == level]
    needing += [chosen.release.chart for chosen in item.releases if chosen.recipe.pod_security == level]
    return f"{purpose}; {', '.join(dict.fromkeys(needing))} needs Pod Security {level}"


def _one(ctx: PlanContext, item: Gathered, what: str, values: list[tuple[str, str]]) -> str | None:
    """The one value that is asked, "" for none; None with a problem when there are two."""
    first = values[0] if values else ("", "")
    other = next((found for found in values if found[0] != first[0]), None)
    if other is None:
        return first[0]
    ctx.refuse(
        f'parts {first[1]} and {other[1]} want namespace {item.name} with {what} "{first[0]}" and "{other[0]}"',
        hint="give one of them a namespace of its own",
    )
    return None


def _agreed(
    ctx: PlanContext,
    item: Gathered,
    what: str,
    pairs: Callable[[NamespaceRequest], Iterable[tuple[str, str]]],
) -> dict[str, str] | None:
    found: dict[str, list[tuple[str, str]]] = {}
    for request in item.requests:
        for key, value in pairs(request):
            found.setdefault(key, []).append((value, request.part))
    agreed = {key: _one(ctx, item, f"{what} {key}", values) for key, values in found.items()}
    settled = {key: value for key, value in agreed.items() if value is not None}
    return settled if len(settled) == len(agreed) else None


def _security_labels(level: PodSecurity, policy: NamespacePolicy, kubernetes: str, tenant: str) -> dict[str, str]:
    """Enforced as needed; warnings and audit at the level that a tenant should get to, without noise from
    operators."""
    report = policy.report_pod_security if tenant else level
    report = max(level, report, key=STRICTNESS.index)
    minor = "v" + ".".join(kubernetes.removeprefix("v").split(".")[:2])
    prefix = "pod-security.kubernetes.io/"
    levels = {"enforce": level, "audit": report, "warn": report}
    versions = {f"{prefix}{mode}-version": minor for mode in levels}
    return {f"{prefix}{mode}": value for mode, value in levels.items()} | versions


def _traffic(item: Gathered, answers: Answers) -> Traffic:
    to = dict.fromkeys(EGRESS, False)
    asked = [(token, request.part) for request in item.requests for token in request.egress]
    asked += [(token, chosen.release.chart) for chosen in item.releases for token in chosen.recipe.to]
    for token, part in asked:
        if token not in to:
            raise ValueError(f'part {part}: "{token}" is no egress. {nearest(token, EGRESS)}')
        to[token] = True
    ours = answers.chosen.get("metrics")
    scraped = ours is not None or "metrics" in answers.given
    ports = {port for chosen in item.releases for port in chosen.recipe.metrics} if scraped else set()
    return Traffic(
        from_namespaces=tuple(
            sorted({name for request in item.requests for name in request.ingress_from} - {item.name})
        ),
        from_anywhere=tuple(
            sorted({port for chosen in item.releases for port in (*chosen.recipe.webhooks, *chosen.recipe.serves)})
        ),
        metrics=tuple(sorted(ports)),
        metrics_namespace=ours.release.namespace if ours else "",
        to=("any",) if to["any"] else tuple(token for token, asked_for in to.items() if asked_for),
        to_namespaces=tuple(sorted({pair for request in item.requests for pair in request.egress_to})),
        from_cidrs=_from_cidrs(item.requests),
    )


def _from_cidrs(requests: Iterable[NamespaceRequest]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Ports by network: a port that one part opens to a network isn't opened to the networks of another."""
    found: dict[str, set[int]] = {}
    for request in requests:
        if bool(request.ingress_cidrs) != bool(request.open_ports):
            raise ValueError(f"part {request.part}: ingress_cidrs and open_ports need each other")
        for cidr in request.ingress_cidrs:
            found.setdefault(cidr, set()).update(request.open_ports)
    return tuple((cidr, tuple(sorted(ports))) for cidr, ports in sorted(found.items()))


def _default_requests(policy: NamespacePolicy) -> tuple[tuple[str, str], ...]:
    limits = policy.container_defaults
    return (("cpu", quantities.cpu(limits.cpu_milli)), ("memory", quantities.mib(limits.memory_mib)))


def _default_limits(policy: NamespacePolicy, quota: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Only where the quota counts limits: a default limit below a stated request would refuse the pod."""
    return tuple(pair for pair in _default_requests(policy) if f"limits.{pair[0]}" in quota)
