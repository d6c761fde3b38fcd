from __future__ import annotations

from typing import Literal

import pytest

from aifactory.components.rows import SwitchRow
from aifactory.stacks.render.switches import switch_files
from support import shipped
from support.stacking import stack_of


def settings(
    switch: str, system: Literal["cumulus", "sonic", "eos", "nxos"] = "eos", part: str = "fabric", why: str = "why"
) -> SwitchRow:
    return SwitchRow(f"Switch/{part}/{switch}", part, switch, system, "text\n", why)


def test_a_stack_without_switches_has_no_folder_for_them() -> None:
    assert list(switch_files(stack_of())) == []


@pytest.mark.parametrize(
    ("system", "ending", "command"),
    [
        ("cumulus", "yaml", "nv config apply"),
        ("sonic", "json", "config checkpoint"),
        ("eos", "cfg", "commit timer"),
        ("nxos", "cfg", "checkpoint"),
    ],
)
def test_each_system_gets_its_form_and_its_way_back(
    system: Literal["cumulus", "sonic", "eos", "nxos"], ending: str, command: str
) -> None:
    files = dict(switch_files(stack_of(settings("leaf-1", system))))
    assert files[f"switches/leaf-1.{ending}"] == "text\n"
    assert command in files["switches/README.md"]


def test_two_parts_may_have_settings_for_one_switch() -> None:
    files = dict(switch_files(stack_of(settings("leaf-1", part="a"), settings("leaf-1", part="b"), settings("leaf-2"))))
    assert sorted(files) == [
        "switches/README.md",
        "switches/leaf-1.a.cfg",
        "switches/leaf-1.b.cfg",
        "switches/leaf-2.cfg",
    ]


def test_the_table_holds_whatever_the_reason_says() -> None:
    text = dict(switch_files(stack_of(settings("leaf-1", why="a | b\n| c"))))["switches/README.md"]
    (line,) = [line for line in text.splitlines() if "leaf-1" in line]
    assert line.replace("\\|", "").count("|") == 6


def test_shipped_switches_are_listed_block_by_block_with_their_rails() -> None:
    text = shipped.files("training-roce-fra-dc1-platform")["switches/README.md"].decode()
    lines = [line for line in text.splitlines() if line.startswith("| `fra")]
    assert [line.split("`")[1] for line in lines] == ["fra-b1", "fra-b1", "fra-b2", "fra-b2"]
    assert "| `fra-leaf-02` | 4, 5, 6, 7 | `fra-leaf-02.yaml` |" in lines[1]
