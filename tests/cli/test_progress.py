"""Progress of a run: what is written, and when."""

from __future__ import annotations

import pytest

from aifactory.cli.journal import Journal, Label, labels
from aifactory.cli.progress import Progress, clock_text, gate_text
from aifactory.components.rows import Gate
from aifactory.stacks.program.events import Event, Message, Step, Totals
from support.made_up import CLAIM, NAMESPACE, PLACE, POLICY, POOL, QUEUE, RELEASE, row_set

NAMESPACE_URN = f"{PLACE}{POOL}$kubernetes:core/v1:Namespace::train/ml"
RELEASE_URN = f"{PLACE}{POOL}$kubernetes:helm.sh/v3:Release::train/ml/operator"
POLICY_URN = f"{PLACE}{POOL}$kubernetes:example.com/v1:Policy::train/rails"
CLAIM_URN = f"{PLACE}{QUEUE}$kubernetes:core/v1:PersistentVolumeClaim::teams/ml/data"
GONE_URN = f"{PLACE}{QUEUE}$kubernetes:core/v1:ConfigMap::teams/ml/old"
PART_URN = f"{PLACE}{POOL}::train"


class Clock:
    """A clock that moves when it is told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Shown(Progress):
    """Progress whose lines and clock a test holds."""

    def __init__(self, *, acting: bool = True) -> None:
        self.lines: list[str] = []
        self.clock = Clock()
        super().__init__(labels(row_set()), self.lines.append, self.clock, acting=acting)

    def step(self, urn: str, op: str, phase: str, at_s: float | None = None) -> None:
        self.clock.now_s = self.clock.now_s if at_s is None else at_s
        self.see(Step(urn, op, phase))  # type: ignore[arg-type]  # each caller names a phase


def test_a_part_is_told_when_its_last_row_of_a_wave_is_done() -> None:
    shown = Shown()
    shown.step(RELEASE_URN, "create", "started")
    shown.step(RELEASE_URN, "create", "done", 5)
    shown.step(POLICY_URN, "create", "done", 65)
    shown.step(NAMESPACE_URN, "same", "done", 66)
    assert shown.lines == [
        "[0:05] 02-trust        train                1 created",
        "[1:05] 05-hardware     train                1 created",
        "[1:06] 00-foundation   train                1 unchanged",
    ]


def test_a_row_counts_once_however_often_it_is_told() -> None:
    shown = Shown()
    for op in ("create-replacement", "replace", "delete-replaced"):
        shown.step(POLICY_URN, op, "done")
    assert shown.lines == ["[0:00] 05-hardware     train                1 replaced"]
    assert shown.journal.counts == {"replace": 1}


def test_a_failure_is_told_at_once() -> None:
    shown = Shown()
    shown.step(POLICY_URN, "create", "started")
    shown.step(POLICY_URN, "create", "failed", 7)
    assert shown.lines == [f"[0:07] 05-hardware     train                failed: {POLICY.id}"]
    assert shown.journal.running == {}


def test_a_preview_finishes_nothing() -> None:
    shown = Shown(acting=False)
    shown.step(POLICY_URN, "create", "done")
    assert shown.lines == []
    assert shown.journal.counts == {"create": 1}


def test_what_is_awaited_is_told_after_ten_quiet_seconds_with_its_gate_and_limit() -> None:
    shown = Shown()
    shown.step(POLICY_URN, "create", "started", 1)
    shown.clock.now_s = 9
    shown.pulse()
    assert shown.lines == []
    shown.clock.now_s = 31
    shown.pulse()
    assert shown.lines == [
        f"[0:31] waiting for {POLICY.id} of train until .status.state is ready, 30 s of at most 1200 s"
    ]
    shown.clock.now_s = 40
    shown.pulse()
    assert len(shown.lines) == 1


def test_the_longest_waits_come_first_and_the_rest_is_counted() -> None:
    shown = Shown()
    for at_s, urn in enumerate((CLAIM_URN, GONE_URN, RELEASE_URN, POLICY_URN)):
        shown.step(urn, "create", "started", at_s)
    shown.clock.now_s = 60
    shown.pulse()
    (line,) = shown.lines
    assert line.startswith(f"[1:00] waiting for {CLAIM.id} of teams until Bound is true, 60 s of at most 90 s; ")
    assert "; ConfigMap/ml/old of teams, 59 s; " in line
    assert line.endswith("; 1 more")


def test_nothing_is_awaited_while_nothing_runs() -> None:
    shown = Shown()
    shown.step(POLICY_URN, "same", "started")
    shown.clock.now_s = 60
    shown.pulse()
    assert shown.lines == []


def test_the_pulse_runs_while_the_run_does() -> None:
    shown = Shown()
    with shown:
        shown.say("begun")
    assert shown.lines == ["[0:00] begun"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (123, "2:03"), (3723, "1:02:03")])
def test_time_reads_like_a_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("gate", "text"),
    [(Gate(condition="Ready"), "Ready is true"), (Gate(path=".status.state", value="ready"), ".status.state is ready")],
)
def test_a_gate_reads_as_words(gate: Gate, text: str) -> None:
    assert gate_text(gate) == text


def journal(*events: Event) -> Journal:
    found = Journal(labels(row_set()))
    for event in events:
        found.see(event)
    return found


def test_rows_that_left_the_blueprint_are_named_too() -> None:
    found = journal(Step(GONE_URN, "delete", "done"), Step(NAMESPACE_URN, "same", "done"))
    assert found.changes() == [(Label("ConfigMap/ml/old", "teams"), "delete", ())]
    assert found.counts == {"delete": 1, "same": 1}


def test_components_and_unknown_operations_are_no_rows() -> None:
    found = journal(Step(PART_URN, "create", "done"), Step(NAMESPACE_URN, "refresh", "done"), Totals({"create": 1}))
    assert (found.counts, found.changes()) == ({}, [])


def test_messages_are_kept_once_with_the_row_they_are_about() -> None:
    found = journal(
        Message("error", POLICY_URN, "no"),
        Message("error", POLICY_URN, "no"),
        Message("error", PART_URN, "about a part"),
        Message("error", "", "about nothing"),
        Message("warning", "", "careful"),
        Message("warning", "", "careful"),
    )
    assert [(failure.label.row, failure.says) for failure in found.failures] == [(POLICY.id, ("no",))]
    assert found.errors[""] == ["about a part", "about nothing"]
    assert found.warnings == ["careful"]


def test_what_differs_is_kept_with_the_row() -> None:
    found = journal(
        Step(POLICY_URN, "update", "started", ("spec.mtu",)), Step(POLICY_URN, "update", "done", ("spec.mtu",))
    )
    assert found.as_data() == {
        "changes": {"update": 1},
        "rows": [{"row": POLICY.id, "part": "train", "wave": "05-hardware", "op": "update", "changed": ["spec.mtu"]}],
        "failed": [],
    }


def test_every_row_has_a_label_with_the_longest_it_may_take() -> None:
    found = {label.row: (label.part, label.wave, label.timeout_s) for label in labels(row_set()).values()}
    assert found == {
        NAMESPACE.id: ("train", "00-foundation", 0),
        RELEASE.id: ("train", "02-trust", 300),
        POLICY.id: ("train", "05-hardware", 1200),
        CLAIM.id: ("teams", "06-scheduling", 90),
    }
