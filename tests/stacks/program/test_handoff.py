"""A platform takes what its base hands over from a file or from the base's state, and from no other base."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from aifactory.stacks.assembly.rowset import HANDOFF, HANDOFF_SCHEMA, RowSet, row_set
from aifactory.stacks.program.folder import folder_rows, handed_over, register_folder
from aifactory.stacks.program.handoff import HANDOFF_FILE, HandoffError, handed, of_outputs, with_handoff
from aifactory.stacks.render.project import project_files
from support.aws_sites import planned
from support.made_up import row_set as given_cluster
from support.recorder import Recorded, record

CLUSTER = "aws:eks/cluster:Cluster/cluster"
VALUES = {
    "aws:ec2/vpc:Vpc/cluster#id": "vpc-0123456789abcdef0",
    f"{CLUSTER}#certificateAuthority.data": "Y2E=",
    f"{CLUSTER}#endpoint": "https://0123.gr7.eu-north-1.eks.amazonaws.com",
    f"{CLUSTER}#name": "demo-sto-lab",
}
Change = Callable[[dict[str, Any]], Any]


@cache
def platform() -> RowSet:
    return row_set(planned().stacks[1], "sha256:plan")


def handoff() -> dict[str, Any]:
    """As the base of these rows gives it."""
    return {
        "schema": HANDOFF_SCHEMA,
        "stack": "demo-sto-lab-base",
        "base_digest": platform().base_digest,
        "values": dict(VALUES),
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / HANDOFF_FILE


def without(name: str) -> Change:
    return lambda data: {**data, "values": {key: value for key, value in VALUES.items() if key != name}}


def valued(name: str, value: object) -> Change:
    return lambda data: {**data, "values": {**VALUES, name: value}}


WRONG: dict[str, tuple[Change, str]] = {
    "nothing": (lambda data: None, "is no handoff of schema aifactory-handoff/v1"),
    "a list": (lambda data: [data], "is no handoff of schema"),
    "all outputs": (lambda data: {HANDOFF: data}, "is no handoff of schema"),
    "another schema": (lambda data: {**data, "schema": "aifactory-handoff/v2"}, "is no handoff of schema"),
    "another base": (lambda data: {**data, "base_digest": "sha256:0"}, "comes from a base of other rows"),
    "no digest": (lambda data: {**data, "base_digest": None}, "comes from a base of other rows"),
    "no values": (lambda data: {**data, "values": None}, "lacks aws:ec2/vpc:Vpc/cluster#id"),
    "a list of values": (lambda data: {**data, "values": list(VALUES)}, "lacks aws:ec2/vpc:Vpc/cluster#id"),
    "no name": (without(f"{CLUSTER}#name"), f"lacks {CLUSTER}#name"),
    "an empty endpoint": (valued(f"{CLUSTER}#endpoint", ""), f"lacks {CLUSTER}#endpoint"),
    "an unknown endpoint": (valued(f"{CLUSTER}#endpoint", None), f"lacks {CLUSTER}#endpoint"),
    "a placeholder": (valued(f"{CLUSTER}#name", f"${{{CLUSTER}#name}}"), f"a placeholder where {CLUSTER}#name"),
    "half a placeholder": (valued(f"{CLUSTER}#endpoint", "https://${host}"), f"a placeholder where {CLUSTER}#endpoint"),
    "a secret": (valued(f"{CLUSTER}#name", {"4dabf18193072939515e22adb298388d": "x"}), f"lacks {CLUSTER}#name"),
}


def test_the_values_of_its_own_base_are_taken_in() -> None:
    data = handoff()
    data["values"]["another"] = "is left aside"
    assert handed(data, platform(), "here", "do this") == VALUES


@pytest.mark.parametrize(("change", "says"), WRONG.values(), ids=list(WRONG))
def test_what_another_base_says_or_what_lacks_a_value_is_refused(change: Change, says: str) -> None:
    with pytest.raises(HandoffError) as refused:
        handed(change(handoff()), platform(), "here", "do this")
    assert refused.value.says.startswith("here ")
    assert says in refused.value.says
    assert str(refused.value) == f"{refused.value.says}; do this"


def test_a_file_is_read(file: Path) -> None:
    file.write_text(json.dumps(handoff()), encoding="utf-8")
    assert with_handoff(platform(), file) == platform().with_handed(VALUES)


def test_a_platform_that_awaits_nothing_needs_no_file(file: Path) -> None:
    assert with_handoff(given_cluster(), file) == given_cluster()
    file.write_text("not JSON")
    assert with_handoff(given_cluster(), file) == given_cluster()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "can't be read: No such file or directory"),
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b" " * (1024 * 1024 + 1), "is too large"),
        (b"{}", "is no handoff of schema"),
    ],
    ids=["none", "empty", "cut off", "no text", "nested too deep", "large", "another"],
)
def test_a_file_that_is_no_handoff_is_refused_with_what_to_do(file: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HandoffError) as refused:
        with_handoff(platform(), file)
    assert refused.value.says.startswith(str(file))
    assert says in refused.value.says
    assert refused.value.hint == f"deploy the base, then run there: pulumi stack output handoff --json > {file}"


def test_a_folder_in_place_of_the_file_is_refused(file: Path) -> None:
    file.mkdir()
    with pytest.raises(HandoffError, match="can't be read"):
        with_handoff(platform(), file)


def test_the_state_of_the_base_is_as_good_as_the_file() -> None:
    found = of_outputs({HANDOFF: handoff(), "plan_digest": "x"}, platform(), "demo-sto-lab-base")
    assert found == platform().with_handed(VALUES)


@pytest.mark.parametrize("outputs", [{}, {HANDOFF: None}, {HANDOFF: {}}])
def test_a_base_that_is_not_deployed_is_deployed_first(outputs: dict[str, Any]) -> None:
    with pytest.raises(HandoffError) as refused:
        of_outputs(outputs, platform(), "demo-sto-lab-base")
    assert refused.value.says.startswith("the state of stack demo-sto-lab-base ")
    assert refused.value.hint == "run aifactory up: it deploys the base first"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the platform, as it is generated."""
    for name, text in project_files(platform(), {"schema": "aifactory-plan/v1"}, "file://state"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def registered(folder: Path) -> Recorded:
    def program() -> None:
        register_folder(folder)

    return record(program, stack=platform().stack)


def test_a_generated_folder_registers_what_the_file_beside_it_says(folder: Path, file: Path) -> None:
    file.write_text(json.dumps(handoff()), encoding="utf-8")
    found = registered(folder)
    (release,) = found.of_type("kubernetes:helm.sh/v3:Release")
    assert release.inputs["values"]["vpcId"] == "vpc-0123456789abcdef0"
    (provider,) = found.of_type("pulumi:providers:kubernetes")
    config = json.loads(provider.inputs["kubeconfig"])
    assert config["clusters"][0]["cluster"]["server"] == VALUES[f"{CLUSTER}#endpoint"]


def test_a_generated_folder_registers_nothing_without_its_handoff(folder: Path, file: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"pulumi stack output handoff --json > .*handoff\.json"):
        handed_over(folder_rows(folder), file)
    with pytest.raises(pulumi.RunError, match="can't be read"):
        registered(folder)
