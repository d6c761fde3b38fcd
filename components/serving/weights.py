"""Where the weights come from, how pods see them, and how long they take to load."""

from __future__ import annotations

import json
import math
from hashlib import sha256

from aifactory.components import image_reference
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.pods import Volume
from aifactory.components.problems import nearest
from aifactory.components.serving.decided import FetchPlan, WeightsPlan
from aifactory.components.serving.engine import WEIGHTS_PATH, at_home
from aifactory.components.serving.reaching import port_of
from aifactory.components.serving.replicas import Sized
from aifactory.components.serving.spec import (
    ClaimWeights,
    FetchedWeights,
    ImageWeights,
    ServingSpec,
    StoredWeights,
    Weights,
)
from aifactory.components.storage_classes import classes_of

IMAGE_VOLUMES = (1, 35)
"""Kubernetes release in which image volumes are on by default. Source: kubernetes/enhancements KEP-4639."""

SHARED = ("ReadWriteMany",)
COMPILE_S = 600
"""Time for kernels, graphs and a slow first start, on top of twice the time to read the weights. Source: vLLM's own
limit for its engine to be ready."""

KSERVE_DEADLINE_S = 600
"""Time without progress after which a Deployment of KServe counts as failed: Kubernetes' default, which no field of an
InferenceService changes. Source: kserve/kserve#5684."""

MARGIN = 1.05
"""Room of a volume over that of the weights: tokenizer, configuration, and what the file system takes."""

PICKLES = "*.[bp][it][nh]"
"""Files *.bin and *.pth: the same weights once more, in a format that runs code when it is read. One pattern, because
versions of `hf` differ in how they take several."""

PUBLIC_HUBS = ("huggingface.co", "hf.co")


def weights_of(spec: ServingSpec, row: Row, sized: Sized, ctx: PlanContext) -> WeightsPlan | None:
    """The weights of a part; None after a problem."""
    stored_gib = sized.stored_gib
    load_s = int(stored_gib * 1_073.741_824 / spec.load_mb_per_s) + 1
    limit_s = -(-(2 * load_s + COMPILE_S) // 60) * 60
    _decide(spec, row, stored_gib, load_s, limit_s, ctx)
    found = _source(spec, str(row.text("repository")), limit_s, ctx)
    if found is None or not _have_room(spec.weights, stored_gib, ctx):
        return None
    path, volume, fetch = found
    return WeightsPlan(
        repository=row.text("repository"),
        revision=spec.revision,
        digest=_digest(spec),
        stored_as=sized.stored_as,
        path=path,
        volume=volume,
        fetch=fetch,
        remote_port=_port(spec.weights),
        networks=tuple(spec.weights.networks) if isinstance(spec.weights, FetchedWeights | StoredWeights) else (),
        node_cache=isinstance(spec.weights, ImageWeights) and spec.weights.node_cache,
        load_s=limit_s,
    )


def _port(weights: Weights) -> int:
    if isinstance(weights, FetchedWeights):
        return port_of(weights.hub)
    return port_of(weights.endpoint) if isinstance(weights, StoredWeights) else 0


def _have_room(weights: Weights, stored_gib: float, ctx: PlanContext) -> bool:
    """Whether the volume that a Job fills is large enough."""
    size_gib = weights.size_gib if isinstance(weights, FetchedWeights) else 0
    return not size_gib or ctx.check(
        "SRV-023",
        size_gib >= MARGIN * stored_gib,
        f"a volume of {size_gib} GiB for weights of {stored_gib:.0f} GiB and what lies beside them",
        ("weights", "size_gib"),
        f"set size_gib to {math.ceil(2 * stored_gib)}, so that a new revision fits beside the old",
    )


def _digest(spec: ServingSpec) -> str | None:
    """Digest that was stated: of the weights, or of the image that holds them."""
    image = image_reference.parse_image(spec.weights.image).digest if isinstance(spec.weights, ImageWeights) else ""
    return spec.digest or image or None


def _decide(spec: ServingSpec, row: Row, stored_gib: float, load_s: int, limit_s: int, ctx: PlanContext) -> None:
    digest = _digest(spec)
    ctx.decide(
        "weights",
        {"repository": row.text("repository"), "revision": spec.revision, "digest": digest},
        "as written; it stands on each object of the model"
        if digest
        else "no digest is written, and none is made up: each object of the model says null",
        facts=[row.ref],
        source=("digest",) if spec.digest else ("weights",),
    )
    ctx.check(
        "SRV-017",
        digest is not None,
        f"nothing says which weights of {row.text('repository')} part {spec.name} serves",
        ("weights",),
        "set digest to what the registry prints"
        + ("" if ctx.place.venue_facts.starts_offline else ", or name the image of the weights by digest"),
    )
    ctx.check(
        "SRV-025",
        spec.stack != "kserve" or 2 * load_s <= KSERVE_DEADLINE_S,
        f"reading {stored_gib:.0f} GiB takes {load_s} s of the {KSERVE_DEADLINE_S} s after which KServe's Deployment "
        "is shown as failed, image and kernels not counted",
        ("stack",),
        "set stack to llm-d, whose deadline follows from the weights, or name weights that are read faster and set "
        f"load_mb_per_s to {int(2 * stored_gib * 1_073.741_824 / KSERVE_DEADLINE_S) + 1} or more",
    )
    ctx.decide(
        "start_limit_s",
        limit_s,
        f"{stored_gib:.0f} GiB at {spec.load_mb_per_s} MB per s take {load_s} s; twice that and {COMPILE_S} s for "
        "kernels, then the kubelet gives up. A probe that is shorter would kill each start for ever",
        rejected=[Rejected("liveness from the start", "it kills a server that still loads")],
        because=[f"{ctx.part}.weights"],
        source=("load_mb_per_s",),
    )


Found = tuple[str, Volume | None, FetchPlan | None]


def _source(spec: ServingSpec, repository: str, limit_s: int, ctx: PlanContext) -> Found | None:
    weights = spec.weights
    if isinstance(weights, ImageWeights):
        return _from_image(weights, ctx)
    if isinstance(weights, ClaimWeights):
        ctx.decide("weights.source", "claim", "a volume that somebody fills, mounted read only", source=("weights",))
        path = f"{WEIGHTS_PATH}/{weights.folder}" if weights.folder else WEIGHTS_PATH
        return path, Volume("weights", weights.claim, WEIGHTS_PATH, read_only=True), None
    if isinstance(weights, StoredWeights):
        ctx.decide(
            "weights.source",
            "object-store",
            "each replica streams them into GPU memory; no copy lies on a node",
            rejected=[Rejected("copy to a volume", "as written: the store is fast enough, or nodes have no room")],
            source=("weights",),
        )
        return weights.uri, None, None
    return _fetched(spec, weights, repository, limit_s, ctx)


def _from_image(weights: ImageWeights, ctx: PlanContext) -> Found | None:
    version = ctx.place.cluster.version
    minor = tuple(int(part) for part in version.removeprefix("v").split(".")[:2])
    holds = ctx.check(
        "SRV-009",
        minor >= IMAGE_VOLUMES,
        f"Kubernetes {version} of {ctx.place.site} doesn't mount images as volumes unless told to",
        ("weights", "kind"),
        f"upgrade the cluster to {'.'.join(map(str, IMAGE_VOLUMES))}, or use weights of kind claim or fetch",
    )
    if not holds:
        return None
    ctx.decide(
        "weights.source",
        "oci",
        "one image, mirrored, signed and rolled back as any other; the kubelet pulls it once for each node. The "
        "container runtime must mount images: containerd 2.1, or CRI-O",
        rejected=[
            Rejected(
                "download at each start", "hubs throttle the address of the whole site, and a crash loop asks again"
            ),
            Rejected("modelcar of KServe", "a second container that runs only to hold files"),
        ],
        source=("weights",),
    )
    volume = Volume("weights", "", WEIGHTS_PATH, image=weights.image, read_only=True)
    return f"{WEIGHTS_PATH}/{weights.folder}", volume, None


def _fetched(
    spec: ServingSpec, weights: FetchedWeights, repository: str, limit_s: int, ctx: PlanContext
) -> Found | None:
    name = _class(weights, ctx)
    if name is None:
        return None
    public = any(hub in weights.hub for hub in PUBLIC_HUBS)
    ctx.check(
        "SRV-022",
        not public,
        f"weights come from {weights.hub}, a public hub",
        ("weights", "hub"),
        "name a mirror of the site, or use weights of kind oci",
    )
    ctx.decide(
        "weights.source",
        "fetch",
        f"one Job downloads them once to a volume of {name}; replicas read it and ask no hub",
        rejected=[
            Rejected("download in each replica", "hubs throttle the address of the whole site"),
            Rejected("the whole repository", "files *.bin and *.pth hold the weights again, as pickles"),
        ],
        source=("weights",),
    )
    folder = "model"
    words = ["download", repository, f"--local-dir={WEIGHTS_PATH}/{folder}", f"--exclude={PICKLES}"]
    words += [f"--revision={spec.revision}"] if spec.revision else []
    told = json.dumps([words, weights.hub, weights.size_gib])
    plan = FetchPlan(
        claim=f"{spec.identity}-weights",
        storage_class=name,
        size_gib=weights.size_gib,
        job=f"{spec.identity}-weights-{sha256(told.encode()).hexdigest()[:8]}",
        arguments=tuple(words),
        environment=(("HF_ENDPOINT", weights.hub), *at_home(spec.cache).items()),
        token=weights.token or "",
        timeout_s=min(28_800, 10 * limit_s),
    )
    return f"{WEIGHTS_PATH}/{folder}", Volume("weights", plan.claim, WEIGHTS_PATH, read_only=True), plan


def _class(weights: FetchedWeights, ctx: PlanContext) -> str | None:
    """StorageClass of the volume that all replicas read."""
    classes = classes_of(ctx)
    access, asked = classes.access, weights.storage_class
    fitting = classes.serving(SHARED)
    name = classes.named(asked) if asked is not None else fitting[0] if fitting else ""
    if asked is not None and not name:
        says = f'"{asked}" is not a StorageClass of the site'
        ctx.refuse(says, ("weights", "storage_class"), nearest(asked, classes.known))
        return None
    known = ", ".join(f"{each} ({', '.join(modes)})" for each, modes in access.items()) or "none"
    holds = ctx.check(
        "SRV-009",
        name in fitting,
        f"StorageClass {name} doesn't serve ReadWriteMany, and replicas on other nodes read the weights"
        if name
        else f"no StorageClass of {ctx.place.site} serves ReadWriteMany, which replicas on several nodes need",
        ("weights", "storage_class") if asked else ("weights",),
        f"use {' or '.join(fitting)}" if fitting else f"use weights of kind oci; the site has: {known}",
    )
    return name if holds else None
