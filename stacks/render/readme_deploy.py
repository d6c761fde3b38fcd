"""How a stack is deployed, by each of the ways there are."""

from __future__ import annotations

import re
from shlex import quote

from aifactory.components.given import Delivery
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.program.identity import PROJECT
from aifactory.stacks.render.markdown import code, plain, shell
from aifactory.stacks.render.origin import Origin


def kubectl(stack: Stack) -> str:
    """The command, with the context of the site."""
    return f"kubectl --context {quote(stack.plan.place.cluster.kubeconfig.context)}"


def before(stack: Stack) -> list[str]:
    """What must be so before anything is applied."""
    file = stack.plan.place.cluster.kubeconfig.file
    steps = [
        f"The cluster answers: `{kubectl(stack)} version`. Its kubeconfig is expected in `{file}`"
        + ("." if file.startswith(("~", "/")) else ", counted from this folder; set KUBECONFIG to use another."),
    ]
    if any(stack.host_rows):
        steps.append("The hosts have their files, and were rebooted where needed: [hosts/README.md](hosts/README.md).")
    if any(stack.switch_rows):
        steps.append("The switches have their settings: [switches/README.md](switches/README.md).")
    steps += [plain(note.says) for note in stack.plan.notes if note.when == "before"]
    if not stack.plan.place.venue_facts.starts_offline:
        pulled = "copies of " if stack.plan.mirror else ""
        steps.append(
            f"Nodes can pull {pulled}what `images.txt` lists, and whoever deploys can reach the charts that it names."
        )
    return [f"{number}. {step}" for number, step in enumerate(steps, start=1)]


def running(stack: Stack) -> list[str]:
    """What a person can do once it runs: first with what stands on others, such as an endpoint on models."""
    lines: list[str] = []
    own = [note for note in stack.plan.notes if note.when == "running"]
    parts = list(dict.fromkeys(note.part for note in own))[::-1]
    for note in sorted(own, key=lambda each: parts.index(each.part)):
        commands = [re.sub(r"\bkubectl ", f"{kubectl(stack)} ", command) for command in note.commands]
        lines += [*([""] if lines else []), plain(note.says), *(["", *shell(*commands)] if commands else [])]
    return lines


def by_pulumi(stack: Stack, origin: Origin) -> list[str]:
    """Commands, and how the state is found."""
    state = stack.plan.place.state
    login = f"pulumi login {quote(state.backend)}"
    lines = []
    if state.backend.startswith("file://") and not state.backend.startswith(("file:///", "file://~")):
        folder = quote(state.backend.removeprefix("file://"))
        lines = ["ROOT=/path/to/project   # the folder with aifactory.yaml: the path of the state counts from there"]
        login = f'mkdir -p "$ROOT"/{folder} && pulumi login "file://$ROOT/"{folder}'
    if state.secrets_provider == "passphrase":
        lines.append("export PULUMI_CONFIG_PASSPHRASE_FILE=/path/to/passphrase")
    name = f"organization/{PROJECT}/{stack.name}"
    return [
        "Needs the `pulumi` command (3.250 or newer), and Python with the version that made this folder:",
        "",
        *shell(
            f"pip install ai-factory-blueprints=={origin.version}",
            *lines,
            login,
            f"pulumi stack select --create {quote(name)} --secrets-provider {quote(state.secrets_provider)}",
            "pulumi preview",
            "pulumi up",
        ),
        "",
        f"`aifactory up BLUEPRINT --site {stack.plan.place.site}` does the same from the blueprint.",
        "An interrupted `up` goes on with the next one.",
    ]


def by_script(stack: Stack) -> list[str]:
    """Commands, and what the script does on failure."""
    wave = next((row.wave for row in stack.cluster_rows), "")
    return [
        *shell("./apply.sh --dry-run   # what the API server would take; on an empty cluster not all can be judged",
               "./apply.sh",
               f"./apply.sh --from {wave}   # after a failure it says from where to go on"),
        "",
        "It deletes nothing: what a new plan no longer has is listed by `aifactory diff OLD_FOLDER NEW_FOLDER --rows`.",
    ]  # fmt: skip


def by_argocd(stack: Stack) -> list[str]:
    """Commands, and what Argo CD must know."""
    delivery = stack.plan.place.delivery
    assert isinstance(delivery, Delivery)  # noqa: S101 - asked for only where there is one
    if stack.awaited:
        return _not_by_argocd(stack)
    namespace = f"--namespace {delivery.argocd_namespace}"
    return [
        f"Commit this folder as `{delivery.path.strip('/')}/{stack.name}` to `{delivery.url}`, branch or tag",
        f"`{delivery.revision}`. Then, once:",
        "",
        *shell(
            "# Health checks: without them Argo CD starts a wave before the one before it is ready.",
            f"{kubectl(stack)} {namespace} patch configmap argocd-cm --patch-file argocd/argocd-cm.yaml",
            f"{kubectl(stack)} apply --server-side -f argocd/root.yaml",
        ),
        "",
        "It neither prunes nor heals by itself: to delete or to take back a driver is a person's decision.",
    ]


def _not_by_argocd(stack: Stack) -> list[str]:
    """Why there is nothing for Argo CD, and which rows keep it from here."""
    refs = sorted({placeholder(ref) for refs in stack.awaited.values() for ref in refs})
    return [
        "There is no `argocd/` here: Argo CD applies what is committed, and these rows hold what only the deployed",
        "base knows. It stands in their files as a placeholder, which a cluster would take for a value.",
        "",
        *(f"- {code(row)}" for row in sorted(stack.awaited)),
        "",
        f"Placeholders: {', '.join(map(code, refs))}. Deploy with Pulumi, which takes the values from the handoff; or",
        "write them into `manifests/` and `helm/` and use `./apply.sh`, which refuses to begin while one is left.",
        "`kubectl apply -k` asks nobody: don't use it before.",
    ]
