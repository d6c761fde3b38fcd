"""Measures everything and writes it into docs/performance.md: `make bench`.

Exit code 1 when a budget is not kept, after writing.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import deploying, previewing, registration
from benchmarks.jobs import COMMAND, REFERENCE, ROOT, SCALE, Result, commands, exponent, scale
from benchmarks.machine import described
from benchmarks.same_bytes import VARIANTS, differing, outputs
from support.proving.tools import Missing, paths

PAGE = ROOT / "docs" / "performance.md"
REGISTRATION_RATIO = 1.15
"""Most that registering rows may take, as a multiple of a flat program with the same resources."""
UP_1000_ROWS_S = 15.0
"""Most that the engine may take for a new stack of 1,000 rows in files."""
FUNCTION_BUDGETS_MS = {"size the reference demand": 20, "estimate two sites": 100}
FIT_FROM_OBJECTS = 1_000
"""Below, the start of Python hides what grows."""


def main(arguments: Sequence[str]) -> int:
    """Measure, write the page, and say which budgets were not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command; the median counts")
    parser.add_argument("--largest", type=int, default=100_000, help="most objects of the scale curve")
    parser.add_argument(
        "--engine-runs", type=int, default=deploying.RUNS, help="runs of the engine; 0: leave its table"
    )
    parser.add_argument(
        "--after-each", type=int, default=1, help="runs with a state write after each row: minutes each"
    )
    options = parser.parse_args(arguments)
    breaches: list[str] = []
    texts = {"machine": f"Measured on: {described()}."}
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as name:
        folder = Path(name)
        texts["commands"] = _commands(list(commands(folder, options.runs)), breaches)
        sizes = [size for size in SCALE if size <= options.largest]
        texts["scale"] = _scale(list(scale(folder, options.runs, sizes)), breaches)
        texts["same-bytes"] = _same_bytes(folder, breaches)
        measured = [registration.measure(count) for count in registration.COUNTS]
        bases = [registration.measure(count, base=True) for count in registration.BASE_COUNTS]
        texts["registration"] = _registration(measured, breaches)
        texts["registration-base"] = _registration(bases, breaches)
        texts["functions"] = _functions(folder, breaches)
        if options.engine_runs:
            texts["deploying"] = _deploying(options.engine_runs, options.after_each, breaches)
            texts["previewing"] = _previewing(breaches)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), texts), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    print("\n".join(f"over budget: {breach}" for breach in breaches) or "every budget is kept")
    return 1 if breaches else 0


def filled(page: str, texts: dict[str, str]) -> str:
    """A page with the text between each pair of markers replaced. Raises ValueError for a missing pair."""
    for name, text in texts.items():
        pair = re.compile(rf"<!-- {name} -->\n.*?<!-- end -->", re.DOTALL)
        between = f"<!-- {name} -->\n\n{text}\n\n<!-- end -->"
        page, count = pair.subn(between.replace("\\", r"\\"), page)
        if count != 1:
            raise ValueError(f"the page has {count} pairs of markers <!-- {name} --> and <!-- end -->")
    return page


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _commands(results: list[Result], breaches: list[str]) -> str:
    rows = []
    for result in results:
        breaches.extend(result.breaches)
        words = " ".join(result.job.arguments).replace("{out}", "DIR")
        rows.append([result.job.name, f"`{words}`", *_figures(result)])
    return table(["job", "`aifactory …`", "median s", "fastest s", "slowest s", "peak MB", "budget"], rows)


def _scale(results: list[Result], breaches: list[str]) -> str:
    rows = []
    for result in results:
        breaches.extend(result.breaches)
        rows.append([f"{result.objects:,}", *_figures(result)])
    points = [(result.objects, result.timing.median_s) for result in results if result.objects >= FIT_FROM_OBJECTS]
    text = table(["objects", "median s", "fastest s", "slowest s", "peak MB", "budget"], rows)
    if len(points) < 2:
        return text
    power = f"{exponent(points):.2f}"
    return f"{text}\n\nFrom {FIT_FROM_OBJECTS:,} objects on, time grows with the power {power} of their number."


def _figures(result: Result) -> list[str]:
    timing = result.timing
    budgets = [
        *([f"{result.job.budget_s} s"] if result.job.budget_s is not None else []),
        *([f"{result.job.budget_mb:.0f} MB"] if result.job.budget_mb is not None else []),
    ]
    verdict = "**over** " if result.breaches else ""
    seconds = (timing.median_s, min(timing.seconds), max(timing.seconds))
    return [*(f"{one:.3f}" for one in seconds), f"{timing.peak_mb:.0f}", verdict + ", ".join(budgets)]


def _same_bytes(folder: Path, breaches: list[str]) -> str:
    found = outputs(COMMAND, ROOT, REFERENCE, folder / "same")
    wrong = differing(found)
    breaches.extend(f"not the same bytes: {one}" for one in wrong)
    files = len(next(iter(found.values())))
    verdict = f"**{len(wrong)} files differ**" if wrong else "identical"
    return f"{files} files, {len(VARIANTS)} variants ({'; '.join(VARIANTS)}), each in another folder: {verdict}."


def _registration(measured: list[dict[str, Any]], breaches: list[str]) -> str:
    rows = []
    for one in measured:
        if one["ratio"] > REGISTRATION_RATIO:
            breaches.append(f"registering {one['rows']} rows: ratio {one['ratio']}, budget {REGISTRATION_RATIO}")
        figures = (
            one["rows_cpu_s"],
            one["flat_cpu_s"],
            one["ratio"],
            one["rows_peak_mb"],
            one["flat_peak_mb"],
        )
        rows.append([f"{one['rows']:,}", *(str(figure) for figure in figures)])
    head = [
        "rows",
        "rows, CPU s",
        "flat program, CPU s",
        f"ratio (budget {REGISTRATION_RATIO})",
        "peak MB",
        "flat, peak MB",
    ]
    return table(head, rows)


def _deploying(runs: int, after_each: int, breaches: list[str]) -> str:
    try:
        engine = paths("pulumi")["pulumi"].parent
    except Missing as missing:
        return f"Not measured: {missing}."
    rows = []
    for count in deploying.COUNTS:
        found = deploying.measure(engine, count, runs=runs)
        if after_each:
            found |= deploying.measure(engine, count, (deploying.AFTER_EACH,), after_each)
        ratio = round(found["rows"]["cpu_s"] / found["flat"]["cpu_s"], 3)
        if ratio > REGISTRATION_RATIO:
            breaches.append(f"deploying {count} rows: ratio {ratio}, budget {REGISTRATION_RATIO}")
        if count == 1_000 and found["rows"]["wall_s"] > UP_1000_ROWS_S:
            breaches.append(f"deploying {count} rows: {found['rows']['wall_s']} s, budget {UP_1000_ROWS_S} s")
        for way, one in found.items():
            figures = [way, *(str(one[key]) for key in ("wall_s", "cpu_s", "self_mb", "engine_mb"))]
            rows.append([f"{count:,}", *figures, f"{ratio}" if way == "rows" else ""])
    ratio_head = f"ratio (budget {REGISTRATION_RATIO})"
    head = ["rows", "way", "median s", "CPU s", "peak MB, ours", "peak MB, engine", ratio_head]
    return table(head, rows)


def _previewing(breaches: list[str]) -> str:
    try:
        engine = paths("pulumi")["pulumi"].parent
    except Missing as missing:
        return f"Not measured: {missing}."
    return previewed(previewing.measure(engine), breaches)


def previewed(found: dict[str, Any], breaches: list[str]) -> str:
    """The table of what a preview of a base takes. Both ratios are held: of CPU time, and of what a person waits."""
    for ratio in ("ratio", "wall_ratio"):
        if found[ratio] > REGISTRATION_RATIO:
            breaches.append(f"previewing a base: {ratio} {found[ratio]}, budget {REGISTRATION_RATIO}")
    rows = [
        [
            str(found["resources"]),
            way,
            *(str(found[way][key]) for key in ("wall_s", "cpu_s")),
            *((str(found["wall_ratio"]), str(found["ratio"])) if way == "rows" else ("", "")),
        ]
        for way in previewing.WAYS
    ]
    head = ["resources", "way", "median s", "CPU s", f"ratio of s (budget {REGISTRATION_RATIO})", "ratio of CPU s"]
    return table(head, rows)


def _functions(folder: Path, breaches: list[str]) -> str:
    file = folder / "functions.json"
    options = ["-q", "-m", "bench", "--benchmark-enable", f"--benchmark-json={file}", "--benchmark-quiet"]
    subprocess.run([sys.executable, "-m", "pytest", *options, "tests/benchmarks"], cwd=ROOT, check=True)
    found = json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
    rows = []
    for one in sorted(found, key=lambda one: str(one["name"])):
        name, median_ms = one["name"].removeprefix("test_").replace("_", " "), one["stats"]["median"] * 1000
        budget_ms = FUNCTION_BUDGETS_MS.get(name)
        if budget_ms is not None and median_ms > budget_ms:
            breaches.append(f"{name}: {median_ms:.2f} ms, budget {budget_ms} ms")
        budget = "" if budget_ms is None else f"{budget_ms} ms"
        rows.append([name, f"{median_ms:.2f}", str(one["stats"]["rounds"]), budget])
    return table(["function", "median ms", "rounds", "budget"], rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
