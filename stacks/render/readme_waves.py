"""What each wave holds, how long it may take, how to see that it is done, and how to go back or remove it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote

from aifactory.components.rows import HelmRow, KubernetesRow, Wave
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.manifests import Step
from aifactory.stacks.render.markdown import code, shell, table
from aifactory.stacks.render.readme_deploy import kubectl
from aifactory.stacks.render.script import gate_text, kind_name

_NAMED = 8
"""Things that one cell or command block names; a wave of a large factory has thousands."""
_KEPT = 24
"""Rows named that stay, what holds data first: nobody should miss one."""

_PURPOSES = {
    Wave.FOUNDATION: "namespaces with their baseline, priority classes",
    Wave.CRDS: "resource definitions",
    Wave.TRUST: "certificates and secrets",
    Wave.ADMISSION: "admission rules",
    Wave.TELEMETRY: "storage, metrics, logs, traces",
    Wave.HARDWARE: "drivers, networks, devices",
    Wave.SCHEDULING: "queues and job controllers",
    Wave.SCALING: "autoscaling",
    Wave.GATEWAY: "gateways",
    Wave.SERVING: "serving engines",
    Wave.WORKLOADS: "workloads",
    Wave.PORTALS: "portals",
    Wave.ENFORCEMENT: "enforcement",
}


def waves(stack: Stack, ordered: Sequence[Step]) -> list[str]:
    """The table of waves."""
    rows = Counter(row.wave for row in stack.cluster_rows)
    lines = [
        (code(wave), _PURPOSES[wave], rows[wave], _at_most(members), _awaited(members))
        for wave, members in _by_wave(ordered)
    ]
    return [
        *table(["wave", "what", "rows", "at most", "waits for"], lines),
        "",
        "At most: the sum of all that the wave waits for; past that it fails. Most of it is drivers that are compiled",
        "on the nodes, and images that are pulled for the first time.",
    ]


def verification(stack: Stack, ordered: Sequence[Step]) -> list[str]:
    """Commands for each wave; all of them fail where something is missing."""
    lines = [
        "For each wave, in order. The first one that fails is where the trouble is.",
    ]
    for wave, members in _by_wave(ordered):
        lines += ["", f"### {wave}", "", *shell(*_checks(stack, wave, members))]
    pools = any(isinstance(row, KubernetesRow) and row.body["kind"] == "NodeFeatureRule" for row in stack.rows)
    if pools:
        labels = "-L aifactory.io/pool,aifactory.io/block,aifactory.io/rack,nvidia.com/gpu.present"
        lines += ["", "Nodes, their place and their GPUs:", "", *shell(f"{kubectl(stack)} get nodes {labels}")]
    return lines


def back(stack: Stack) -> list[str]:
    """How a change is made and taken back."""
    fixed = [row.id for row in _objects(stack) if row.body["kind"] in ("Job", "JobSet")]
    lines = [
        "1. Change the blueprint or the site, and read `aifactory diff THIS_FOLDER BLUEPRINT` before generating.",
        "2. To go back, generate from the former blueprint, or take the former folder from version control, and deploy",
        "   that the same way. One release alone: `helm history` and `helm rollback`, then make the blueprint agree.",
        "3. Drivers go back by draining: a change of NVIDIADriver or of NIC policies takes nodes out one after the",
        "   other, and waits for jobs or stops them, as the policy's `upgradePolicy` says.",
        "4. Helm never upgrades the definitions in a chart's `crds/`: before a release with new ones, apply them with",
        "   `kubectl apply --server-side`.",
    ]
    if fixed:
        lines.append(
            f"5. What runs can't be changed in place: {_some(map(code, fixed))}. Delete it first, then deploy: a "
            "training run goes on from its checkpoint."
        )
    return lines


def removal(stack: Stack) -> list[str]:
    """How it goes away, and what stays."""
    holding = sorted(stack.cluster_rows, key=lambda row: not (row.protect and row.retain_on_delete))
    kept = [row.id for row in holding if row.protect or row.retain_on_delete]
    return [
        "Finish or delete running jobs first. An operator that goes before its objects leaves finalizers behind, and",
        "with them objects that can't be deleted: let the order stand.",
        "",
        f"- With Pulumi: `pulumi destroy`, or `aifactory destroy BLUEPRINT --site {stack.plan.place.site}`, in reverse",
        "  order. Pulumi removes nothing while a row is protected: `pulumi destroy --exclude-protected` leaves those",
        "  rows and what they need. `aifactory destroy --remove-protected ROW` removes one with its data; after",
        "  `pulumi state unprotect URN` alone Pulumi forgets it, and it stays without what it stands on.",
        "- With kubectl and helm: go through `apply.sh` from its end: `kubectl delete -f` for `objects`, `helm",
        "  uninstall` for `release`. Leave out what is kept.",
        "- With Argo CD: delete the applications; their objects stay. Then as with kubectl.",
        "",
        f"Kept on purpose: {_some(map(code, kept), _KEPT) if kept else 'no row'}; most resource definitions, and with",
        "them objects that others made of them; files on hosts and settings of switches; all that the site gives.",
    ]


def _by_wave(ordered: Sequence[Step]) -> Iterator[tuple[Wave, list[Step]]]:
    found: dict[Wave, list[Step]] = {}
    for step in ordered:
        found.setdefault(step.wave, []).append(step)
    yield from found.items()


def _gated(members: Iterable[Step]) -> list[KubernetesRow]:
    return [row for step in members for _, rows in step.objects for row in rows if row.gate]


def _releases(members: Iterable[Step]) -> list[HelmRow]:
    return [release for step in members for release in step.releases]


def _at_most(members: Sequence[Step]) -> str:
    """Steps follow each other, and so does what one step waits for."""
    alike = {(step.number, row.gate, row.namespace) for step in members for row in _gated([step])}
    seconds = sum(gate.timeout_s for _, gate, _ in alike if gate)
    seconds += sum(release.timeout_s for release in _releases(members))
    return f"{-(-seconds // 60)} min" if seconds else "at once"


def _awaited(members: Sequence[Step]) -> str:
    names = [f"release {code(release.name)}" for release in _releases(members)]
    names += [code(f"{row.body['kind']} {row.name}") for row in _gated(members)]
    return _some(names) or "nothing"


def _checks(stack: Stack, wave: Wave, members: Sequence[Step]) -> Iterator[str]:
    kube, context = kubectl(stack), quote(stack.plan.place.cluster.kubeconfig.context)
    for release in _releases(members)[:_NAMED]:
        yield f"helm --kube-context {context} status {quote(release.name)} --namespace {quote(release.namespace)}"
    if any(step.objects for step in members):
        yield f"{kube} get -k manifests/{wave}"
    gated = _gated(members)
    for row in gated[:_NAMED]:
        namespace = f" --namespace {quote(row.namespace)}" if row.namespace else ""
        assert row.gate  # noqa: S101 - that is why it is in the list
        wanted = quote(f"--for={gate_text(row.gate)}")
        yield f"{kube} wait {wanted} --timeout=0{namespace} {quote(f'{kind_name(row)}/{row.name}')}"
    if len(gated) > _NAMED:
        yield f"# and {len(gated) - _NAMED} more: grep gate apply.sh"


def _some(names: Iterable[str], most: int = _NAMED) -> str:
    found = list(names)
    more = [f"{len(found) - most} more"] if len(found) > most else []
    return ", ".join([*found[:most], *more])


def _objects(stack: Stack) -> Iterator[KubernetesRow]:
    return (row for row in stack.rows if isinstance(row, KubernetesRow))
