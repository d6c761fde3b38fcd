"""What remains in a cluster of a stack that was removed, and why.

Ours is what carries our labels, what Helm says is of one of our releases, what lies in namespaces that we made, the
definitions that came with our releases, and what is owned by one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from aifactory.stacks.live.cluster import Cluster, Thing, Unread
from aifactory.stacks.live.ours import (
    CHART,
    HOOK,
    INSTANCE,
    MANAGED_BY,
    PART,
    Held,
    HeldRelease,
    Stays,
    belongs,
    record_of,
    release_of,
)
from aifactory.stacks.live.planned import Planned, once_held
from aifactory.stacks.live.pointers import Pointers, pointers
from aifactory.stacks.live.stuck import removal_line, why_leaving

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
PASSED = {
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("", "ComponentStatus"),
    ("", "Node"),
    ("metrics.k8s.io", "PodMetrics"),
}
"""Kinds that say what happened, or are the cluster itself."""
OF_EACH_NAMESPACE = {
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
}
"""What the cluster makes in each namespace."""
KEEP = "helm.sh/resource-policy"
_SHOWN = 3
_WHY: dict[Stays, str] = {
    "protected": "kept because it is protected",
    "needed": "kept because a protected row needs it",
    "kept": "kept on delete: it left the stack and stays",
}


class Finding(Struct, frozen=True):
    """An object of ours that is still there."""

    kind: str
    group: str
    namespace: str
    name: str
    part: str
    reason: str
    expected: bool
    """Whether it stays by intent."""
    remove: str
    """The command that would remove it, empty when it goes with something else."""
    leaving: bool
    """Whether the cluster is removing it."""

    @property
    def row(self) -> str:
        """Its identity, as rows have it."""
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return "/".join(filter(None, (kind, self.namespace, self.name)))


class Remains(Struct, frozen=True):
    """What a scan found, and what it could not look at."""

    left: tuple[Finding, ...]
    unread: tuple[Unread, ...]
    held: Held
    """What was taken for the stack's."""

    @property
    def unexpected(self) -> list[Finding]:
        """What should not be there."""
        return [finding for finding in self.left if not finding.expected]


class _Claim(Struct, frozen=True):
    """Why an object is ours."""

    part: str
    says: str
    expected: bool = False
    removable: bool = True
    leaving: bool = False


def remains(
    cluster: Cluster,
    held: Held,
    planned: Planned | None = None,
    *,
    context: str = "",
    removing_definitions: bool = False,
) -> Remains:
    """What remains of a stack, also by what its blueprint plans. `context` is that of the kubeconfig, for the commands
    that are shown.

    Raises `Unreachable`.
    """
    kinds = [kind for kind in cluster.kinds() if (kind.group, kind.kind) not in PASSED]
    things = _distinct(thing for found in cluster.each(cluster.things, kinds) for thing in found)
    held = once_held(held, planned, things) if planned is not None else held
    scan = _Scan(cluster, held, things, context, removing_definitions=removing_definitions)
    return Remains(tuple(scan.findings()), tuple(cluster.unread.values()), held)


def _distinct(things: Iterator[Thing]) -> list[Thing]:
    """Each object once: some are served in two groups."""
    found: dict[str, Thing] = {}
    for thing in things:
        found.setdefault(_uid(thing), thing)
    return list(found.values())


class _Scan:
    """All objects of a cluster, and which of them are ours."""

    def __init__(
        self, cluster: Cluster, held: Held, things: list[Thing], context: str, *, removing_definitions: bool
    ) -> None:
        self._cluster = cluster
        self._held = held
        self._things = {_uid(thing): thing for thing in things}
        self._context = context
        self._removing_definitions = removing_definitions
        self._services = {(thing.namespace, thing.name) for thing in things if _is(thing, "", "Service")}
        self._pointers: Pointers = pointers(cluster, things, held)

    def findings(self) -> Iterator[Finding]:
        """Everything of ours, in order of kind and name."""
        claims = self._claims()
        found = [self._finding(self._things[uid], claim) for uid, claim in claims.items()]
        yield from sorted(found, key=lambda each: (each.expected, each.group, each.kind, each.namespace, each.name))

    def _claims(self) -> dict[str, _Claim]:
        rules: tuple[Callable[[Thing], _Claim | None], ...] = (
            self._row,
            self._definition,
            self._record,
            self._of_release,
            self._labelled,
            self._inside,
            self._pointing,
        )
        claims: dict[str, _Claim] = {}
        for owned in (False, True):
            # What is owned goes with its owner, whatever labels it has: those of a Service are on its slices too.
            for uid, thing in self._things.items():
                if uid in claims or self._is_owned(thing) is not owned or self._made_by_the_cluster(thing):
                    continue
                claim = next((claim for rule in rules if (claim := rule(thing))), None)
                if claim is not None:
                    claims[uid] = claim
            self._add_owned(claims)
        return claims

    def _is_owned(self, thing: Thing) -> bool:
        """Whether an owner is there, so that the object has a say of its own only if it is a row itself."""
        return thing.row not in self._held.rows and any(str(each["uid"]) in self._things for each in thing.owners)

    def _add_owned(self, claims: dict[str, _Claim]) -> None:
        """Also what is owned by what is ours."""
        children: dict[str, list[str]] = {}
        for uid, thing in self._things.items():
            for reference in thing.owners:
                children.setdefault(str(reference["uid"]), []).append(uid)
        pending = list(claims)
        while pending:
            uid = pending.pop()
            claim, owner = claims[uid], self._things[uid]
            for child in children.get(uid, ()):
                if child not in claims and not self._made_by_the_cluster(self._things[child]):
                    says = f"owned by {owner.kind.kind} {owner.name}, and goes with it"
                    claims[child] = _Claim(claim.part, says, claim.expected, removable=False)
                    pending.append(child)

    def _made_by_the_cluster(self, thing: Thing) -> bool:
        """What the cluster makes for each namespace, Service or node, and removes with it."""
        if (thing.kind.kind, thing.name) in OF_EACH_NAMESPACE and thing.labels.get(MANAGED_BY) != "aifactory":
            return True
        if thing.kind.kind == "EndpointSlice":
            return (thing.namespace, thing.labels.get("kubernetes.io/service-name", "")) in self._services
        if _is(thing, "", "Endpoints"):
            return (thing.namespace, thing.name) in self._services
        return thing.kind.kind == "Lease" and thing.namespace == "kube-node-lease"

    def _row(self, thing: Thing) -> _Claim | None:
        row = self._held.rows.get(thing.row)
        if row is None:
            return None
        return _Claim(
            row.part, _WHY.get(row.stays, "should be gone with the stack, and is still there"), bool(row.stays)
        )

    def _labelled(self, thing: Thing) -> _Claim | None:
        if not belongs(thing, self._held.factory, self._held.site):
            return None
        says = "carries the labels of this factory and site, and no row of the stack names it"
        return _Claim(thing.labels.get(PART, ""), _claim_of_a_replica(thing) or says)

    def _definition(self, thing: Thing) -> _Claim | None:
        release = self._held.definitions.get(thing.name) if (thing.kind.group, thing.kind.kind) == CRD else None
        named = release_of(thing)
        if release is None or (named and self._held.release(*named) is None):
            return None
        if release.stays and not (release.stays == "kept" and self._removing_definitions):
            return _Claim(release.part, f"CRD of release {release.name}, which stays", expected=True)
        return _Claim(release.part, self._definition_says(thing, release), not self._removing_definitions)

    def _definition_says(self, thing: Thing, release: HeldRelease) -> str:
        using = self.objects_of(thing.name)
        what = f"CRD of release {release.name}"
        if using is None:
            return f"{what}, kept: how many objects of its kind exist could not be found out"
        if not self._removing_definitions:
            many = f"{len(using) or 'none'} exist{'s' if len(using) == 1 else ''}"
            return f"{what}, kept unless --remove-crds asks: deleting it deletes all objects of that kind, and {many}"
        if not using:
            return f"{what}, which nothing uses any more"
        named = ", ".join("/".join(filter(None, (each.namespace, each.name))) for each in using[:_SHOWN])
        more = f" and {len(using) - _SHOWN} more" if len(using) > _SHOWN else ""
        return f"{what}, kept because objects of its kind exist: {named}{more}"

    def objects_of(self, definition: str) -> list[Thing] | None:
        """Objects of a definition's kind; None if they could not be listed."""
        plural, _, group = definition.partition(".")
        unread = [definition, *(name for name in self._cluster.unread if name.partition("/")[0] == group)]
        if any(name in self._cluster.unread for name in unread):
            return None
        return [thing for thing in self._things.values() if (thing.kind.plural, thing.kind.group) == (plural, group)]

    def _record(self, thing: Thing) -> _Claim | None:
        record = record_of(thing)
        release = self._held.release(record.namespace, record.name) if record else None
        if release is None:
            return None
        return _Claim(
            release.part, _with_release(f"Helm's record of release {release.name}", release), bool(release.stays)
        )

    def _of_release(self, thing: Thing) -> _Claim | None:
        named = release_of(thing)
        release = self._held.release(*named) if named else self._by_label(thing)
        if release is None:
            return None
        if thing.annotations.get(KEEP) == "keep" and not release.stays:
            return _Claim(
                release.part, f"the chart of release {release.name} keeps it on removal ({KEEP})", expected=True
            )
        if HOOK in thing.annotations:
            says = f"left by a hook of the chart of release {release.name}"
        else:
            says = _claim_of_a_replica(thing) or f"belongs to release {release.name}"
        return _Claim(release.part, _with_release(says, release), bool(release.stays))

    def _by_label(self, thing: Thing) -> HeldRelease | None:
        """The release of an object without Helm's annotations: hooks and claims of replicas have labels only."""
        instance = thing.labels.get(INSTANCE)
        for release in self._held.releases if instance else ():
            if release.name != instance:
                continue
            if thing.namespace == release.namespace:
                return release
            chart = thing.labels.get(CHART, "")
            if not thing.namespace and chart.startswith(f"{release.chart}-"):
                return release
        return None

    def _inside(self, thing: Thing) -> _Claim | None:
        space = self._held.namespaces.get(thing.namespace)
        if space is None:
            return None
        says = f"in namespace {thing.namespace}, which {'stays' if space.stays else 'should be gone'}"
        return _Claim(space.part, says, bool(space.stays))

    def _pointing(self, thing: Thing) -> _Claim | None:
        """Webhooks, API services and volumes that point to what was ours."""
        pointer = self._pointers.get(thing.row)
        return _Claim(pointer.part, pointer.says, pointer.expected, leaving=pointer.leaving) if pointer else None

    def _finding(self, thing: Thing, claim: _Claim) -> Finding:
        part, says, expected, leaving = claim.part, claim.says, claim.expected, claim.leaving
        orphan = bool(thing.owners) and not any(str(owner["uid"]) in self._things for owner in thing.owners)
        line = removal_line(thing, self._context) if claim.removable else ""
        if thing.leaving:
            says, expected, leaving = why_leaving(self._cluster, thing, self._held), False, True
        elif orphan and not expected:
            says, leaving = (
                f"its owner {thing.owners[0]['kind']} {thing.owners[0]['name']} is gone, and it isn't yet",
                True,
            )
        return Finding(
            thing.kind.kind, thing.kind.group, thing.namespace, thing.name, part, says, expected, line, leaving
        )


def _uid(thing: Thing) -> str:
    return str(thing.metadata.get("uid") or thing.row)


def _is(thing: Thing, group: str, kind: str) -> bool:
    return (thing.kind.group, thing.kind.kind) == (group, kind)


def _claim_of_a_replica(thing: Thing) -> str:
    stem, _, ordinal = thing.name.rpartition("-")
    if not (_is(thing, "", "PersistentVolumeClaim") and stem and ordinal.isdecimal() and not thing.owners):
        return ""
    return "claim of a StatefulSet's replica, which Kubernetes keeps with its data when the StatefulSet goes"


def _with_release(says: str, release: HeldRelease) -> str:
    return f"{says}, {_WHY[release.stays]}" if release.stays else says
