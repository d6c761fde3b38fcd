"""The measuring itself: what it times, what it refuses, what it writes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.jobs import Job, Result, exponent, scale
from benchmarks.machine import described
from benchmarks.report import PAGE, filled, previewed, table
from benchmarks.same_bytes import differing
from benchmarks.whole_process import Timing, measure


def python(code: str) -> list[str]:
    """A command that runs a line of Python."""
    return [sys.executable, "-I", "-c", code]


def test_a_command_is_timed_as_often_as_asked_after_a_run_that_warms_up(tmp_path: Path) -> None:
    code = "open('runs', 'a').write('x')"
    timing = measure(python(code), runs=3, folder=tmp_path)
    assert len(timing.seconds) == 3
    assert min(timing.seconds) > 0
    assert (tmp_path / "runs").read_text() == "xxxx"


def test_what_comes_before_a_run_comes_before_each(tmp_path: Path) -> None:
    code = "open('seen', 'a').write(str(__import__('os').path.exists('out'))); open('out', 'w')"
    measure(python(code), runs=2, folder=tmp_path, before=lambda: (tmp_path / "out").unlink(missing_ok=True))
    assert (tmp_path / "seen").read_text() == "False" * 3


def test_the_peak_memory_is_that_of_the_command(tmp_path: Path) -> None:
    small = measure(python("pass"), runs=1, folder=tmp_path)
    large = measure(python("b'x' * 200_000_000"), runs=1, folder=tmp_path)
    assert 195 < large.peak_mb - small.peak_mb < 215


def test_a_command_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"failed with 3:\nno such site"):
        measure(python("import sys; print('no such site'); sys.exit(3)"), runs=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("budget_s", "budget_mb", "breaches"),
    [(None, None, 0), (0.5, 90, 0), (0.4, 80, 0), (0.39, 90, 1), (0.5, 79, 1), (0.1, 10, 2)],
)
def test_a_budget_is_held_against_the_median_and_the_peak(
    budget_s: float | None, budget_mb: float | None, breaches: int
) -> None:
    result = Result(Job("plan", (), budget_s, budget_mb), Timing((0.1, 0.4, 9.0), 80))
    assert len(result.breaches) == breaches


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_its_power(power: float) -> None:
    assert exponent([(size, 3 * size**power) for size in (100, 1_000, 10_000)]) == pytest.approx(power)


def test_a_factory_of_a_wanted_size_has_about_so_many_objects(tmp_path: Path) -> None:
    [result] = scale(tmp_path, runs=1, sizes=[300])
    assert 250 < result.objects < 350
    assert list(tmp_path.iterdir()) == []


def test_files_that_differ_or_are_missing_are_named() -> None:
    found = {"first": {"a": b"1", "b": b"2"}, "second": {"a": b"1", "b": b"3"}, "third": {"a": b"1"}}
    assert differing(found) == ["second: b", "third: b"]
    assert differing({"first": {"a": b"1"}, "second": {"a": b"1"}}) == []
    assert differing({"first": {}, "second": {}}) == ["nothing was written"]


def test_a_page_gets_its_text_between_the_markers_each_time_anew() -> None:
    page = "# Title\n\n<!-- one -->\n<!-- end -->\n\nprose\n\n<!-- two -->\nold\n<!-- end -->\n"
    once = filled(page, {"one": "1", "two": table(["a", "b"], [["1", "2"]])})
    assert once == (
        "# Title\n\n<!-- one -->\n\n1\n\n<!-- end -->\n\nprose\n\n<!-- two -->\n\n"
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n<!-- end -->\n"
    )
    assert filled(once, {"one": "1"}) == once


def test_a_page_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="0 pairs of markers <!-- gone -->"):
        filled(PAGE.read_text(encoding="utf-8"), {"gone": ""})


def test_the_page_has_a_place_for_everything_that_is_measured() -> None:
    names = (
        "machine",
        "commands",
        "scale",
        "same-bytes",
        "registration",
        "registration-base",
        "previewing",
        "functions",
    )
    assert filled(PAGE.read_text(encoding="utf-8"), dict.fromkeys(names, "x")).count("\n\nx\n\n") == len(names)


def test_the_machine_is_described_without_its_name() -> None:
    import platform

    text = described()
    assert "cores" in text
    assert "pydantic" in text
    assert not platform.node() or platform.node() not in text.split()


@pytest.mark.parametrize(
    ("ratio", "wall_ratio", "over"), [(1.15, 1.15, 0), (1.16, 1.0, 1), (1.0, 1.16, 1), (1.2, 1.3, 2)]
)
def test_a_preview_is_held_to_both_ratios(ratio: float, wall_ratio: float, over: int) -> None:
    taken = {"wall_s": 3.0, "cpu_s": 2.0}
    found = {"resources": 84, "ratio": ratio, "wall_ratio": wall_ratio, "flat": taken, "rows": taken}
    breaches: list[str] = []
    assert previewed(found, breaches).splitlines()[-1] == f"| 84 | rows | 3.0 | 2.0 | {wall_ratio} | {ratio} |"
    assert len(breaches) == over
