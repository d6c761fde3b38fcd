"""A gate that is never met ends the run in time, and the run says which row, of which part, waits for what."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.cli import deploying, handing
from aifactory.cli.work import prepare
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.rowset import RowSet
from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
STACK = "training-roce-ams-colo1-platform"
DRIVER = "NVIDIADriver.nvidia.com/train"
PATIENCE_S = 6


@pytest.mark.parametrize("status", [{}, {"state": "notReady"}])
def test_a_gate_that_is_never_met_names_its_row(
    yards: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: dict[str, str]
) -> None:
    yard: Yard = yards(STACK)
    for name, value in yard.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handing, "row_set", lambda stack, digest: hurried(yard.rows))
    with Operators(yard.plane.api, broken={"NVIDIADriver/train": status}):
        runner = deploying.Runner(yard.root, yard.kubeconfig)
        (outcome,) = runner.up(prepare(yard.blueprint, [yard.site]), refresh=False)
    assert outcome.result == "failed"
    failed = {failure.label.row: failure for failure in outcome.journal.failures}
    assert failed.keys() == {DRIVER}
    assert failed[DRIVER].label.part == "train"
    assert f"timed out: .status.state is {status.get('state')}, not ready" in "\n".join(failed[DRIVER].says)
    assert f"05-hardware     train                failed: {DRIVER}" in capsys.readouterr().err
    told = {label.row for label, _, _ in outcome.journal.changes()}
    after = {row.id for row in yard.cluster_rows() if DRIVER in row.after}
    assert after, "nothing waits for the gate"
    assert not after & told, "what comes after a gate has to wait for it"


def hurried(rows: RowSet) -> RowSet:
    """The same rows with little patience for one of them."""

    def hurry(row: Any) -> Any:
        if isinstance(row, KubernetesRow) and row.id == DRIVER and row.gate is not None:
            return replace(row, gate=replace(row.gate, timeout_s=PATIENCE_S), timeout_s=PATIENCE_S)
        return row

    return replace(rows, rows=tuple(hurry(row) for row in rows.rows))
