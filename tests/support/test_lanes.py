"""The summary of lanes, as a run of pytest prints it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """\
import pytest

def test_pure(): pass

@pytest.mark.schema
def test_schema(): pass

@pytest.mark.engine
@pytest.mark.skipif({skipped}, reason="no engine on PATH")
def test_engine(): pass

@pytest.mark.engine
def test_engine_too(request):
    request.node.user_properties.append(("stand-in", "a chart"))
    assert {good}
"""
OPTIONS = ("-p", "support.lanes", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestUnknownMarkWarning")


def run(folder: Path, *options: str, skipped: bool = False, good: bool = True, ci: str = "") -> tuple[int, str]:
    """Exit code and summary of a run of four tests of three lanes, in a folder named like a lane."""
    (folder / "cluster").mkdir()
    (folder / "cluster" / "test_it.py").write_text(TESTS.format(skipped=skipped, good=good))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", ".", *OPTIONS, *options, "."]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "spread over processes"])
def test_each_lane_has_a_line_with_its_counts_and_its_reasons(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, text = run(tmp_path, *options, skipped=True)
    assert code == 0
    assert text[text.index(" lanes ===") :].splitlines()[1:7] == [
        "pure     1 passed",
        "schema   1 passed",
        "engine   1 passed, 1 skipped",
        "         skipped 1: no engine on PATH",
        "         not the real one: a chart",
        "cluster  no tests",
    ]


def test_a_skipped_lane_fails_the_run_in_ci_and_is_named(tmp_path: Path) -> None:
    code, text = run(tmp_path, skipped=True, ci="true")
    assert code == 1
    assert "CI: skipped, so failed: engine" in text


def test_a_run_that_skips_nothing_passes_in_ci(tmp_path: Path) -> None:
    code, text = run(tmp_path, ci="true")
    assert code == 0
    assert "CI:" not in text


def test_a_failed_test_fails_the_run_and_is_counted_in_its_lane(tmp_path: Path) -> None:
    code, text = run(tmp_path, good=False)
    assert code == 1
    assert "engine   1 passed, 1 failed" in text
