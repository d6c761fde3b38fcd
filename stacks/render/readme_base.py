"""What the README of a base says: network, cluster and nodes at AWS are made by Pulumi, nothing by kubectl."""

from __future__ import annotations

from collections import Counter

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.program.handoff import HANDOFF_FILE
from aifactory.stacks.render.deployer import EVERYWHERE, MAKE_UNNAMED, Actions, deployer_files
from aifactory.stacks.render.markdown import code, plain, shell, table


def contents() -> list[str]:
    """The files of its folder."""
    return table(
        ["path", "what it is"],
        [
            ("`Pulumi.yaml`, `__main__.py`, `rows.json`", "a Pulumi project that registers the rows; it plans nothing"),
            ("`deployer-policy-N.json`", "policies of IAM for whoever deploys this: what its rows need, and no more"),
            ("`plan.json`", "every decision with its reason, and the facts it rests on"),
        ],
    )


def before_base(stack: Stack) -> list[str]:
    """What must be so before anything is made. What the platform wants stands in its own README."""
    cloud = stack.plan.cloud
    makes = {row.part for row in stack.cloud_rows}
    steps = ["Credentials of AWS may make what is listed below. The provider refuses another account than the site's."]
    if cloud is not None:
        steps[0] = (
            f"Credentials of AWS are those of account {cloud.account}, region {cloud.region}: another is refused."
        )
    place = stack.plan.place
    if isinstance(place, AwsPlace):
        admins = " or ".join(map(code, place.aws.admins))
        steps.append(
            f"Run it as {admins}: the cluster lets nobody else in, not even whoever makes it, and the platform comes "
            f"after. `aifactory doctor --live BLUEPRINT --site {place.site}` asks the account who you are, and "
            "`aifactory up` does before it begins."
        )
    first = {part.name for part in stack.plan.parts if part.kind in ("cluster", "gpu-node-pool")} & makes
    steps += [plain(note.says) for note in stack.plan.notes if note.when == "before" and note.part in first]
    return [f"{number}. {step}" for number, step in enumerate(steps, start=1)]


def permitted(stack: Stack, actions: Actions) -> list[str]:
    """What whoever runs it must be allowed to do."""
    files = [path for path, _ in deployer_files(stack, actions)]
    title = f"{stack.name}-deployer"
    return [
        "Once, by somebody who may write policies; then attach all of them to the role that runs `up` and `destroy`:",
        "",
        *shell(
            *(
                f"aws iam create-policy --policy-name {title}-{number} --policy-document file://{path}"
                for number, path in enumerate(files, start=1)
            )
        ),
        "",
        "Names hold what has a name, the tags `aifactory:factory` and `aifactory:site` hold what has an id.",
        f"`{EVERYWHERE}` and `{MAKE_UNNAMED}` are on every resource: AWS lets nobody narrow what describes and",
        "lists, and knows no resource of what makes a key or a cluster: tags hold the second.",
        "They are derived from the rows by a table of calls that nobody ran against an account yet: an",
        "`AccessDenied` names the action that lacks. Whoever holds them can change all that",
        "carries both tags, and give the roles above policies of their own: it is the role of an administrator.",
    ]


def handing_over(stack: Stack) -> list[str]:
    """How the platform gets what the base made."""
    name = names.stack_name(stack.plan.factory, stack.plan.place.site)
    return [
        "The platform reads what was made here from a file; there is no secret in it.",
        "",
        *shell(f"pulumi stack output handoff --json > ../{name}/{HANDOFF_FILE}"),
        "",
        f"Then go on in `../{name}`. `aifactory up` does both, one after the other.",
    ]


def made(stack: Stack) -> list[str]:
    """Rows by kind."""
    found = Counter((row.part, row.token) for row in stack.cloud_rows)
    return table(
        ["part", "kind", "rows"], [(code(part), code(token), found[part, token]) for part, token in sorted(found)]
    )


def removal_of_base(stack: Stack) -> list[str]:
    """How it goes away."""
    kept = [row.id for row in stack.cloud_rows if row.protect]
    makes = {row.part for row in stack.cloud_rows}
    told: list[str] = []
    for note in stack.plan.notes:
        if note.when == "removal" and note.part in makes:
            told += ["", plain(note.says), "", *shell(*note.commands)]
    return [
        f"`aifactory destroy BLUEPRINT --site {stack.plan.place.site}` removes the platform first, with the load",
        "balancers and volumes that its controllers made, then this stack. With Pulumi alone: destroy the platform,",
        "see that no load balancer is left in the VPC, which keeps its subnets, and run `pulumi destroy` here.",
        "",
        f"Protected: {', '.join(map(code, kept)) if kept else 'no row'}.",
        *told,
    ]
