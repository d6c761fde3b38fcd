"""The cluster: what it must be, who provides what, and the baseline of every namespace."""

from __future__ import annotations

from itertools import repeat

from msgspec import Struct, structs

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import CAPABILITIES, METRICS_GIB, Requirement
from aifactory.components.catalog.trains import Release
from aifactory.components.cluster.aws import planning as at_aws
from aifactory.components.cluster.aws.balancer import AWS_LOAD_BALANCER_CONTROLLER
from aifactory.components.cluster.aws.eks import BALANCER
from aifactory.components.cluster.aws.model import AwsClusterPlan, EksPlan
from aifactory.components.cluster.aws.rules import RULES as AWS_RULES
from aifactory.components.cluster.checks import sound
from aifactory.components.cluster.images import name_images
from aifactory.components.cluster.model import CRITICAL_PODS, ClusterPlan, ReleasePlan, Resolver
from aifactory.components.cluster.namespaces import planned_namespaces
from aifactory.components.cluster.offline import decide_start
from aifactory.components.cluster.priorities import barred, priorities
from aifactory.components.cluster.providers import (
    Answers,
    Chosen,
    SiteTerms,
    answered,
    comes_after_metrics,
    given_at,
    train_releases,
)
from aifactory.components.cluster.releases import RECIPES
from aifactory.components.cluster.rules import RULES as CLUSTER_RULES
from aifactory.components.cluster.spec import ClusterSpec
from aifactory.components.cluster.versions import accepted, admits
from aifactory.components.offers import OperatorNote, StorageOffer, StorageUse, TelemetryOffer
from aifactory.components.problems import nearest

__all__ = ["RULES", "resolve", "settle", "size"]

RULES = (*CLUSTER_RULES, *AWS_RULES)

API_PORTS = (443, 6443)
"""Of the API server's Service and of its endpoints in all distributions here."""


class DistributionFacts(Struct, frozen=True):
    """What differs between Kubernetes distributions."""

    resolver: Resolver
    namespace_labels: tuple[tuple[str, str], ...] = ()
    brings: tuple[tuple[str, str], ...] = ()
    """What it brings that a capability of ours gets in the way of, and what a person does about it."""


_TRAEFIK = (
    "k3s runs with --disable=traefik: Traefik comes with definitions of the Gateway API of its own version, "
    "which nobody else can own then (k3s-io/k3s#11932), and holds ports 80 and 443 of each node."
)
_INGRESS_NGINX = (
    "rke2-ingress-nginx holds ports 80 and 443 of each node as host ports. A load balancer with addresses of its own "
    "(MetalLB, kube-vip) doesn't meet them; one that uses the nodes' addresses (servicelb, a NodePort behind a router) "
    "does, so run servers with disable: rke2-ingress-nginx there."
)
_RKE2_TRAEFIK = (
    "RKE2 with ingress-controller: traefik brings definitions of the Gateway API of its own version, which nobody else "
    "can own then: run servers with disable: rke2-traefik-crd, or give gateway-api in the site file."
)
_IN_KUBE_SYSTEM = DistributionFacts(Resolver("kube-system", (53,)))
DISTRIBUTIONS: dict[str, DistributionFacts] = {
    "kubeadm": _IN_KUBE_SYSTEM,
    "rke2": DistributionFacts(
        Resolver("kube-system", (53,)),
        brings=(("envoy-gateway", _INGRESS_NGINX), ("gateway-api", _RKE2_TRAEFIK)),
    ),
    "k3s": DistributionFacts(Resolver("kube-system", (53,)), brings=(("gateway-api", _TRAEFIK),)),
    "talos": _IN_KUBE_SYSTEM,
    "eks": _IN_KUBE_SYSTEM,
    "openshift": DistributionFacts(
        Resolver("openshift-dns", (53, 5353)),
        (("security.openshift.io/scc.podSecurityLabelSync", "false"),),
    ),
}
"""OpenShift's resolver listens on 5353 behind its Service, and its label sync overwrites Pod Security
levels."""


class Present(Struct, frozen=True):
    """Says that a site has its cluster part: a second one would make every release and namespace again."""

    part: str


class Draft(Struct, frozen=True):
    """The cluster before anybody has asked it for anything."""

    spec: ClusterSpec
    facts: DistributionFacts
    eks: EksPlan | None = None


def resolve(spec: ClusterSpec, ctx: PlanContext) -> Draft | None:
    """Take what the site gives, if it is known and of the train's versions."""
    cluster = ctx.place.cluster
    for other in ctx.offers(Present):
        ctx.refuse(
            f"{ctx.place.site} has one cluster, and parts {other.part} and {ctx.part} both describe it",
            hint="merge them into one part",
        )
        return None
    ctx.offer(Present(ctx.part))
    facts = DISTRIBUTIONS[cluster.distribution]
    ctx.decide(
        "distribution",
        cluster.distribution,
        f"the site runs it; names resolve in {facts.resolver.namespace}"
        if not ctx.place.venue_facts.makes_cluster
        else f"the base makes it; names resolve in {facts.resolver.namespace}",
        source=("cluster", "distribution"),
        document="site",
    )
    decide_start(ctx)
    known = train_releases(ctx)
    named = _names_are_known(spec, ctx)
    fitting = _versions_fit(ctx, known)
    stored = _default_storage(ctx)
    if isinstance(ctx.place, AwsPlace):
        eks = at_aws.decide(ctx.place, ctx)
        return Draft(spec, facts, eks) if named and eks is not None else None
    return Draft(spec, facts) if named and fitting and stored else None


def size(draft: Draft, ctx: PlanContext) -> Draft:
    """Say where the volume of our Prometheus lands, unless observability does."""
    wanted = {*draft.spec.capabilities, *(each.capability for each in ctx.site_plan.requirements)}
    default = next((each.name for each in ctx.place.cluster.storage_classes if each.default), "")
    ours = "metrics" in wanted and "metrics" not in ctx.place.cluster.provides
    if default and ours and not ctx.offers(TelemetryOffer):
        ctx.offer(StorageUse(ctx.part, 0, default, "telemetry", METRICS_GIB, what="Prometheus"))
    return draft


def settle(draft: Draft, ctx: PlanContext) -> ClusterPlan | None:
    """Answer every capability, merge what parts want of releases, and give each namespace its baseline."""
    spec, place = draft.spec, ctx.place
    replicas = _replicas(spec, ctx)
    _say_if_no_default(ctx)
    terms = SiteTerms(
        place.cluster,
        replicas=replicas,
        priority_class=f"{ctx.factory}-control",
        nodes=place.node_count,
        volumes=_has_default(ctx),
    )
    wanted = [*map(_by_substitute, ctx.site_plan.requirements, repeat(draft)), *_written(spec, ctx)]
    answers = answered(ctx, wanted, terms)
    named = name_images(answers, ctx)
    fits = sound(ctx, answers, train_releases(ctx), replicas)
    namespaces = planned_namespaces(
        ctx, ctx.site_plan.namespaces, answers, spec.namespaces, draft.facts.namespace_labels
    )
    if answers.refused or not fits or not named or namespaces is None:
        return None
    _note_brought(draft.facts, answers, ctx)
    classes = priorities(ctx, answers, terms)
    namespaces = barred(namespaces, classes, ctx)
    made = {namespace.name for namespace in namespaces}
    api_ports = ctx.decide(
        "api_ports",
        API_PORTS,
        "policies meet the API server at the port of its Service or of its endpoints",
        rejected=[Rejected("its addresses", "Cilium matches nodes by no CIDR, so pods lose it (cilium/cilium#20550)")],
    )
    plan = ClusterPlan(
        kubernetes=place.cluster.version,
        distribution=place.cluster.distribution,
        resolver=draft.facts.resolver,
        api_ports=api_ports,
        given=tuple(answers.given.values()),
        releases=_releases(ctx, answers, terms, made),
        namespaces=namespaces,
        priorities=classes,
    )
    return plan if draft.eks is None else _at_aws(plan, draft.eks, ctx)


def _at_aws(plan: ClusterPlan, eks: EksPlan, ctx: PlanContext) -> ClusterPlan | None:
    settled = at_aws.settle(eks, ctx)
    return None if settled is None else AwsClusterPlan(**structs.asdict(plan), eks=settled)


def _by_substitute(asked: Requirement, draft: Draft) -> Requirement:
    """At AWS, what gives Services their addresses is a controller of ours."""
    stands_for = AWS_LOAD_BALANCER_CONTROLLER.stands_for
    substitute = draft.eks is not None and asked.capability in stands_for
    return structs.replace(asked, capability=BALANCER, features=()) if substitute else asked


def _note_brought(facts: DistributionFacts, answers: Answers, ctx: PlanContext) -> None:
    for capability, says in facts.brings:
        if capability in answers.given or capability in answers.chosen:
            ctx.offer(OperatorNote(ctx.part, "before", says))


def _names_are_known(spec: ClusterSpec, ctx: PlanContext) -> bool:
    unknown = [name for name in ctx.place.cluster.provides if name not in CAPABILITIES]
    for name in unknown:
        ctx.refuse(
            f'the site provides "{name}", which is no capability',
            (*given_at(ctx), name),
            nearest(name, CAPABILITIES),
            "site",
        )
    wrong = [index for index, name in enumerate(spec.capabilities) if name not in CAPABILITIES]
    for index in wrong:
        name = spec.capabilities[index]
        ctx.refuse(f'"{name}" is no capability', ("capabilities", index), nearest(name, CAPABILITIES))
    return not unknown and not wrong


def _versions_fit(ctx: PlanContext, known: dict[str, Release]) -> bool:
    """A given version may be any patch of the train's line: patches change no schema."""
    fitting = True
    for name, given in ctx.place.cluster.provides.items():
        if name not in known:
            continue
        versions = accepted(ctx.catalog, known[name])
        lines = " or ".join(dict.fromkeys(f"{_line(version)}.x" for version in versions))
        held = ctx.check(
            "CLU-002",
            admits(versions, given.version),
            f"{name} {given.version} of the site is outside release train {ctx.place.train}, which fits {lines}",
            (*given_at(ctx), name) if ctx.place.venue_facts.makes_cluster else (*given_at(ctx), name, "version"),
            f"bring the site's {name} to {versions[0]}, or choose the release train that fits {given.version}",
            "site",
        )
        fitting = fitting and held
    return fitting


def _line(version: str) -> str:
    return ".".join(version.removeprefix("v").split(".")[:2])


def _default_storage(ctx: PlanContext) -> bool:
    classes = ctx.place.cluster.storage_classes
    known, default = [each.name for each in classes], [each.name for each in classes if each.default]
    at = ("cluster", "storage_classes")
    return ctx.check(
        "CLU-007",
        len(default) <= 1,
        f"{' and '.join(default)} are both default StorageClasses of {ctx.place.site}",
        (*at, known.index(default[-1])) if default else at,
        f"keep default: true of {', or of '.join(default)}, and take it off the others, in the cluster too",
        "site",
    )


def _say_if_no_default(ctx: PlanContext) -> None:
    """All classes that parts make are offered by now."""
    known = [each.name for each in ctx.place.cluster.storage_classes]
    at = ("cluster", "storage_classes")
    ctx.check(
        "CLU-014",
        _has_default(ctx),
        f"{ctx.place.site} has no default StorageClass",
        at if known else ("cluster",),
        f"set default: true on {' or '.join(known)}, if the cluster has it as default"
        if known
        else "list the cluster's StorageClasses in cluster.storage_classes"
        if not ctx.place.venue_facts.makes_cluster
        else "add a storage-tier part",
        "site",
    )


def _has_default(ctx: PlanContext) -> bool:
    given = any(each.default for each in ctx.place.cluster.storage_classes)
    return given or any(offer.default for offer in ctx.offers(StorageOffer))


def _replicas(spec: ClusterSpec, ctx: PlanContext) -> int:
    alone = ctx.place.is_one_node
    replicas = spec.webhook_replicas or (1 if alone else 2)
    reason = "with one replica a drained node refuses what its webhook admits"
    if replicas == 1:
        reason = "the blueprint accepts that a drained node stops admission"
    if alone:
        reason = "as written" if spec.webhook_replicas else "the site has one node: replicas there fall together"
    return ctx.decide(
        "webhook_replicas", replicas, reason, source=("webhook_replicas",) if spec.webhook_replicas else ()
    )


def _written(spec: ClusterSpec, ctx: PlanContext) -> list[Requirement]:
    return [Requirement(name, ctx.part, "the blueprint asks for it") for name in spec.capabilities]


def _releases(ctx: PlanContext, answers: Answers, terms: SiteTerms, made: set[str]) -> tuple[ReleasePlan, ...]:
    """In the order in which they are installed. A definition that two bring is the first one's: Helm keeps
    it."""
    owned: set[str] = set()
    planned = []
    for capability in RECIPES:
        chosen = answers.chosen.get(capability)
        if chosen is None:
            continue
        crds = tuple(name for name in chosen.crds() if name not in owned)
        _note_shared(ctx, chosen, owned)
        owned.update(crds)
        planned.append(_release(chosen, crds, _after(chosen, answers, terms, made, ctx)))
    return tuple(planned)


def _note_shared(ctx: PlanContext, chosen: Chosen, owned: set[str]) -> None:
    for name in sorted(owned & set(chosen.crds())):
        ctx.decide(
            f"definition.{name}",
            f"as installed before {chosen.release.chart}",
            f"{chosen.release.chart} brings it too; Helm installs a file of crds/ once and never changes it",
            facts=[chosen.release.ref],
        )


def _release(chosen: Chosen, crds: tuple[str, ...], after: tuple[str, ...]) -> ReleasePlan:
    release, recipe = chosen.release, chosen.recipe
    return ReleasePlan(
        capability=chosen.capability,
        name=release.release_name,
        namespace=release.namespace,
        chart=release.chart,
        repository=release.repository,
        version=release.version,
        values=chosen.values,
        crds=crds,
        provides=(chosen.capability, *recipe.stands_for),
        after=after,
        wave=recipe.wave,
        timeout_s=recipe.timeout_s,
        retain_on_delete=recipe.retain_on_delete,
    )


def _after(chosen: Chosen, answers: Answers, terms: SiteTerms, made: set[str], ctx: PlanContext) -> tuple[str, ...]:
    """Releases of ours that it needs or that must be first, its permission for critical pods, its priority
    class, and rows that parts say."""
    recipe, namespace = chosen.recipe, chosen.release.namespace
    first = [*chosen.first(), *(["metrics"] if comes_after_metrics(recipe) else [])]
    found = [answers.chosen[name].id for name in first if name in answers.chosen]
    if recipe.critical_pods and namespace in made:
        found.append(names.object_id("v1", "ResourceQuota", namespace, CRITICAL_PODS))
    if recipe.uses_priority_class:
        found.append(names.object_id("scheduling.k8s.io/v1", "PriorityClass", "", terms.priority_class))
    asked = (each for each in ctx.site_plan.requirements if each.capability == chosen.capability)
    return tuple(dict.fromkeys([*found, *(row for each in asked for row in each.after)]))
