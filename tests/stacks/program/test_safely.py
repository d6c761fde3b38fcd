"""What a run may lose is protected again afterwards, or the error says that it isn't."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from aifactory.stacks.program.begun import Begun
from aifactory.stacks.program.deployment import Deployment, Target
from aifactory.stacks.program.engine import EngineError, Locked
from aifactory.stacks.program.safely import Start, alone, on_record

URN = "urn:pulumi:s::aifactory::aifactory:index:AiFactory$kubernetes:core/v1:Namespace::cluster/data"
ELSEWHERE = Target("s", "s3://states", "passphrase")
"""A backend that keeps no record."""


class Kept:
    """A state that can be exported and restored, until somebody holds its lock."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"deployment": {"resources": [{"urn": URN, "protect": True}]}}
        self.locked = False

    def exported(self) -> dict[str, Any]:
        """The state."""
        return self.state

    def restore(self, state: dict[str, Any]) -> None:
        """Write it."""
        if self.locked:
            raise Locked("another run holds the lock", "wait")
        self.state = state

    def die(self) -> None:
        """End as an engine does that is killed, which leaves its lock."""
        self.locked = True
        raise EngineError("killed", "again")

    def come_too_late(self) -> None:
        """Find that another machine has just taken the lock."""
        self.locked = True
        raise Locked("another run holds the lock", "wait")

    written_at = ""

    @contextmanager
    def writing_once(self) -> Iterator[None]:
        """As a deployment has it."""
        yield

    @property
    def is_protected(self) -> bool:
        """Whether the only row is."""
        return bool(self.state["deployment"]["resources"][0]["protect"])


def losing(kept: Kept, target: Target = ELSEWHERE, urns: Collection[str] = (URN,)) -> Any:
    """A run that may lose the only row."""
    start = Start(kept.state["deployment"]["resources"], "", cut_off=False)
    return on_record(target, cast("Deployment", kept), start, [], urns)


def test_a_run_that_ends_well_puts_the_protection_back() -> None:
    kept = Kept()
    with losing(kept):
        assert not kept.is_protected
    assert kept.is_protected


def test_a_run_that_fails_puts_it_back_too_and_says_what_failed() -> None:
    kept = Kept()
    with pytest.raises(EngineError, match=r"^killed$"), losing(kept):
        raise EngineError("killed", "again")
    assert kept.is_protected


def test_without_a_record_the_error_names_what_stays_open_and_why() -> None:
    kept = Kept()
    with pytest.raises(EngineError) as caught, losing(kept):
        kept.die()
    assert str(caught.value) == (
        "killed; and the protection of Namespace/data could not be put back: another run holds the lock"
    )
    assert "protects them again" in caught.value.hint
    assert not kept.is_protected


@pytest.mark.parametrize(("urns", "stays"), [((URN,), True), ((), False)])
def test_another_run_that_comes_between_leaves_the_record_of_what_was_let_go(
    tmp_path: Path, urns: tuple[str, ...], stays: bool
) -> None:
    kept, here = Kept(), Target("s", f"file://{tmp_path}", "passphrase")
    with alone(here, print), pytest.raises(Locked), losing(kept, here, urns):
        kept.come_too_late()
    begun = Begun(tmp_path, "s")
    assert begun.exists == stays
    assert kept.is_protected != stays
    assert not stays or [one["urn"] for one in begun.let_go()] == [URN]
