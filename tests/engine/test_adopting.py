"""The commands that `up` prints for an object that stands in the way take it into the state, and `up` goes on."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
STACK = "inference-l4-muc-lab1-platform"
ADOPTED = "Namespace/gpu-acceptance"
HAND = "platform-team"


def test_the_printed_commands_adopt_what_stands_in_the_way(yards: Any) -> None:
    yard: Yard = yards(STACK)
    made = yard.plane.api.apply(theirs(), manager=HAND)
    refused = yard.run("up", "--yes")
    assert refused.returncode == 1
    commands = [line.strip() for line in refused.stderr.splitlines() if line.startswith("  pulumi ")]
    assert [command.split()[1] for command in commands] == ["up", "import"]
    out = yard.root / "out"
    assert yard.run("generate", "--out", str(out)).returncode == 0
    yard.state.mkdir()
    for command in (*opening(yard), *commands):
        plainly(yard, command)
    adopted = [one for one in yard.resources() if one["urn"].endswith("::cluster/gpu-acceptance")]
    assert [one["id"] for one in adopted] == ["gpu-acceptance"]
    shown = yard.data("preview")
    assert {row["row"]: row["op"] for row in shown["rows"]}[ADOPTED] == "update"
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        assert yard.data("preview")["changes"] == {"same": len(yard.cluster_rows())}
    kept = yard.plane.api.get(theirs())
    assert kept["metadata"]["uid"] == made["metadata"]["uid"]
    assert kept["metadata"]["labels"].items() >= {"made": HAND, "aifactory.io/part": "cluster"}.items()


def opening(yard: Yard) -> tuple[str, ...]:
    """As the README of a generated folder opens a new stack."""
    return (
        f"pulumi stack select --create {yard.name} --secrets-provider passphrase",
        f"pulumi config set kubeconfig {yard.kubeconfig}",
    )


def plainly(yard: Yard, command: str) -> None:
    """Run a line as a person would paste it in the generated folder, and confirm what it asks."""
    settings = {"PULUMI_BACKEND_URL": f"file://{yard.state}", "PULUMI_SKIP_CONFIRMATIONS": "true"}
    ran = yard.call(["bash", "-ec", command], settings, yard.root / "out" / yard.name)
    assert ran.returncode == 0, command + ran.stdout[-3_000:] + ran.stderr[-3_000:]


def theirs() -> dict[str, Any]:
    """A namespace that others made, by the name of ours."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gpu-acceptance", "labels": {"made": HAND}}}
