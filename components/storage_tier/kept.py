"""Where keys and copies of a tier lie: a fact of the site, whatever a blueprint thinks. Unknown places hold nothing
that is bound to a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from aifactory.components.base import PlanContext
from aifactory.components.given import CopyTargetGiven, KeyStoreGiven
from aifactory.components.problems import Path, nearest
from aifactory.components.storage_tier.decided import CEPH_NAMESPACE, Copy, Keys
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import DrivesFound
from aifactory.components.storage_tier.spec import CopySpec, EncryptionSpec, StorageTierSpec

MONITORS = "the store of Ceph's monitors"
"""Where Ceph keeps the keys of drives that it takes of hosts: `dmcrypt` keys in the monitors' key-value store, below
`dataDirHostPath`. Source: ceph-volume, encrypted devices; rook/rook#16992."""


def keys_of(spec: StorageTierSpec, ctx: PlanContext) -> Keys | None:
    """What holds the keys of drives that the tier encrypts. None without encryption, and after a problem."""
    wish = spec.encryption
    if wish is None:
        return None
    known = {each.keys: each for each in _stores(ctx)}
    if wish.keys is None and wish.vault is None:
        location = ctx.place.location
        found = Keys(f"{MONITORS} at {ctx.place.site}", location.country, location.operator.nationality)
        return found if _agrees(wish.place, found.country, MONITORS, ("encryption", "place"), ctx) else None
    if wish.keys is not None and wish.keys not in known:
        says = f'"{wish.keys}" is no store of keys of {ctx.place.site}'
        hint = nearest(wish.keys, known) if known else "add it to storage.key_stores of the site file"
        ctx.check("STO-037", False, says, ("encryption", "keys"), hint)
        return None
    store = known[wish.keys] if wish.keys is not None else _at(wish, known.values())
    found = Keys(f"{wish.vault}/{wish.path}", vault=wish.vault or "", token=wish.token or "", path=wish.path)
    if store is not None:
        country, law = (store.place.country, store.place.nationality) if store.place else ("", "")
        where, ca = f"{store.vault}/{store.path}", store.ca or ""
        found = Keys(where, country, law, store.vault, store.token, store.path, ca)
    who, at = f"store of keys {found.where}", ("encryption", "keys" if wish.keys else "vault")
    hint = "name it in storage.key_stores of the site file, with place: {country, operator, nationality}"
    agrees = _agrees(wish.place, found.country, who, ("encryption", "place"), ctx)
    return found if agrees and _known(spec, found.country, who, at, hint, ctx) else None


def opens_by_name(keys: Keys | None, found: DrivesFound, ctx: PlanContext) -> bool:
    """Whether drives that a Vault has the keys of can be taken as local volumes, each by a path of its own."""
    return ctx.check(
        "STO-050",
        keys is None or not keys.vault or not found.set.filter,
        f"keys lie in a Vault, and drives {found.set.drives} of group {found.group.group} are found by "
        f"{found.set.filter}: a local volume needs a path, and Rook asks a Vault for keys of volumes alone",
        ("encryption",),
        "name the drives in the site file by_path, or by_id",
    )


def notes(draft: Draft) -> Iterator[tuple[Literal["before", "running"], str]]:
    """What people do about the keys, and when. The tier that makes the cluster speaks for all beside it."""
    keys = draft.keys
    if keys is None or draft.spec.beside is not None:
        return
    if not keys.vault:
        says = (
            f"Keys of the drives of tier {draft.spec.name} lie in {MONITORS}, below /var/lib/rook of each node with "
            "drives: encrypt what that lies on, and wipe it before a node leaves."
        )
        yield "before", says
        return
    says = (
        f"Secret {keys.token} of {CEPH_NAMESPACE}, with key token for {keys.vault}, is made once its namespace is "
        "there: the Ceph cluster starts nothing without it. Its policy may read sys/mounts and do all below "
        f"{keys.path}/, a secrets engine kv. It is renewed before it ends. Pods of {CEPH_NAMESPACE} on nodes with "
        f"drives reach {keys.vault}."
    )
    yield "before", says
    if keys.ca:
        says = f"Secret {keys.ca} of {CEPH_NAMESPACE}, with key cert, is made with it: who signs for {keys.vault}."
        yield "before", says
    says = (
        f"Drives of tier {draft.spec.name} ask {keys.vault} for their key at each start: it must run without this "
        "cluster, and whoever loses what it holds loses the data."
    )
    yield "running", says
    if draft.drives is not None:
        yield "running", _swapped(draft)


def _swapped(draft: Draft) -> str:
    """What a person does before a drive goes, and what a volume needs whose drive another one has taken the path of:
    Kubernetes gives a Released volume to nobody, for what its claim left. Sources: rook/rook
    pkg/daemon/ceph/osd/remove.go, the order; Kubernetes documentation, Persistent Volumes, Retain."""
    return (
        f"Before a drive of tier {draft.spec.name} is swapped or leaves the site file: ceph osd out N, wait until ceph "
        "osd safe-to-destroy N agrees, scale rook-ceph-operator to 0, delete Deployment rook-ceph-osd-N, the Job with "
        f"label ceph.rook.io/pvc=CLAIM and PersistentVolumeClaim CLAIM of {CEPH_NAMESPACE}, ceph osd purge N "
        "--yes-i-really-mean-it, and remove its key from the Vault. Its volume is Released then: up removes that of a "
        "path that has left the site file. A new drive at the same path is wiped, and its volume freed: kubectl patch "
        """pv NAME --type json -p '[{"op": "remove", "path": "/spec/claimRef"}]'. Scale the operator to 1: it makes """
        "an OSD of what is free. Until the claim is gone, up waits for the volume in vain."
    )


def copies_of(spec: StorageTierSpec, ctx: PlanContext) -> tuple[Copy, ...] | None:
    """The copies with the places of their targets; None after a problem."""
    known = {each.target: each for each in _targets(ctx)}
    found = [_copy(spec, index, wish, known.get(wish.to), ctx) for index, wish in enumerate(spec.copies)]
    sound = [each for each in found if each is not None]
    return tuple(sound) if len(sound) == len(found) else None


def _copy(
    spec: StorageTierSpec, index: int, wish: CopySpec, target: CopyTargetGiven | None, ctx: PlanContext
) -> Copy | None:
    place = target.place if target else None
    country, law = (place.country, place.nationality) if place else ("", "")
    who, at = f"{wish.kind} {wish.copy_name} to {wish.to}", ("copies", index)
    hint = f"add place: {{country, operator, nationality}} to copy target {wish.to} in the site file"
    if target is None:
        names = [each.target for each in _targets(ctx)]
        add = "add it to storage.copy_targets of the site file, with its place, and write its name"
        hint = nearest(wish.to, names) if names else add
    agrees = _agrees(wish.place, country, who, (*at, "place"), ctx)
    if not agrees or not _known(spec, country, who, (*at, "to"), hint, ctx):
        return None
    return Copy(wish.copy_name, wish.kind, target.system if target else wish.to, country, law, wish.every_h)


def _agrees(thought: str | None, stated: str, who: str, at: Path, ctx: PlanContext) -> bool:
    return ctx.check(
        "STO-037",
        thought is None or not stated or thought == stated,
        f"{who} is thought to be in {thought}, and {ctx.place.site} states {stated}",
        at,
        "delete place: the site states it",
    )


def _known(spec: StorageTierSpec, country: str, who: str, at: Path, hint: str, ctx: PlanContext) -> bool:
    return ctx.check(
        "STO-037",
        bool(country) or spec.data_class is None,
        f"where {who} lies is not stated by {ctx.place.site}, and {spec.data_class} data may not go to unknown places",
        at,
        hint,
    )


def _stores(ctx: PlanContext) -> Iterable[KeyStoreGiven]:
    return ctx.place.storage.key_stores if ctx.place.storage else ()


def _targets(ctx: PlanContext) -> Iterable[CopyTargetGiven]:
    return ctx.place.storage.copy_targets if ctx.place.storage else ()


def _at(wish: EncryptionSpec, stores: Iterable[KeyStoreGiven]) -> KeyStoreGiven | None:
    """The store of the site at the address that a blueprint writes."""
    return next((each for each in stores if each.vault == wish.vault), None)
