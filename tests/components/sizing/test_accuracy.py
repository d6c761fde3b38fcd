"""A user's own measurements, compared by the command that docs/accuracy.md names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aifactory.components.sizing.accuracy import main

MEASURED = """\
rows:
- {model: llama-3.1-70b, accelerator: h200, precision: fp8, gpus: 1, isl: 1024, osl: 1024, concurrency: 64,
   output_tokens_per_s_per_gpu: 1416}
- {model: llama-3.1-70b, accelerator: nvidia-h200-nvl, precision: fp8, gpus: 1, isl: 1024, osl: 1024, concurrency: 64,
   output_tokens_per_s_per_gpu: 1679}
"""


def test_a_file_of_measurements_is_compared_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "measured.yaml"
    file.write_text(MEASURED, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "aifactory.components.sizing.accuracy", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    first, second, total = ran.stdout.splitlines()
    assert first == " 1.00  row 1"
    assert second.startswith("    -  row 2: nvidia-h200-nvl has no sourced memory_bandwidth_tbps")
    assert total.startswith("1 of 2 rows estimated: median error 0%, median ratio 1.00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rows: 3",
        "rows: [{model: llama-3.1-70b}]",
        "{",
        "rows: [{model: 1, accelerator: 2, precision: [], gpus: 0}]",
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "measured.yaml"
    file.write_text(text, encoding="utf-8")
    assert main([str(file)]) == 2
    assert main([str(tmp_path / "none.yaml")]) == 2
    assert main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 3
    assert "Traceback" not in said.err


def test_a_wrong_row_is_named_with_its_field_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "measured.yaml"
    file.write_text(MEASURED.replace("fp8", "int8"), encoding="utf-8")
    assert main([str(file)]) == 2
    assert "row 1: precision: 'int8' is none of bf16, fp8, fp4, mxfp4, int4" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["rows: []", MEASURED.replace("accelerator: h200", "accelerator: nvidia-h200-nvl")])
def test_where_nothing_could_be_estimated_no_figure_looks_perfect(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "measured.yaml"
    file.write_text(text, encoding="utf-8")
    assert main([str(file)]) == 1
    said = capsys.readouterr().out
    assert "none of " in said
    assert "0%" not in said
