"""The operator's README: what it says, and that no text of a user takes it apart."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.base import Decision, Rejected
from aifactory.components.problems import Problem
from aifactory.components.rows import Gate, KubernetesRow, Row, Wave
from aifactory.stacks.assembly.stack import Stack, linked
from aifactory.stacks.planning.model import StackPlan
from aifactory.stacks.render.manifests import steps
from aifactory.stacks.render.markdown import code, plain, table
from aifactory.stacks.render.origin import Origin
from aifactory.stacks.render.readme import readme
from support import shipped
from support.planning import place, site_data
from support.stacking import MAKE, origin, release, stack_of

HOSTILE = "a | b\n# no heading\n| c |\n```\n<script>x</script> [x](http://y) `tick` *star* \\"


def written(stack: Stack, source: Origin | None = None) -> str:
    return readme(stack, source or origin(), steps(stack))


def sections(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def broken_tables(text: str) -> list[str]:
    """Lines of tables with another number of cells than the line above."""
    found = []
    cells = 0
    for line in text.splitlines():
        here = re.sub(r"\\.", "", line).count("|") if line.startswith("|") else 0
        if here and cells and here != cells:
            found.append(line)
        cells = here
    return found


@given(st.text())
def test_plain_text_is_one_line_without_active_characters(text: str) -> None:
    found = plain(text)
    assert "\n" not in found
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`<>*_\[\]#]", found)
    assert re.sub(r"\\(.)", r"\1", found) == " ".join(text.split())


@given(st.text())
def test_code_is_one_line_that_no_tick_or_pipe_ends(text: str) -> None:
    found = code(text)
    assert "\n" not in found
    assert not re.search(r"(?<!\\)\|", found)
    fence = re.match("`*", found)
    assert fence is not None
    inner = found[len(fence[0]) : len(found) - len(fence[0])] if found else ""
    runs = [len(ticks) for ticks in re.findall("`+", inner)]
    assert len(fence[0]) not in runs


def test_a_table_without_rows_is_nothing() -> None:
    assert table(["a", "b"], []) == []


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_a_shipped_stack_tells_all_that_an_operator_asks(name: str) -> None:
    text = shipped.files(name)["README.md"].decode()
    wanted = ["What is here", "Before the first time", "Deploy", "Waves", "Verify", "Change and go back", "Remove"]
    assert [title for title in sections(text) if title in wanted] == wanted
    assert broken_tables(text) == []
    assert "Parts" in sections(text)
    stack = shipped.stacks()[name]
    assert ("Given by the site" in sections(text)) == bool(stack.plan.place.cluster.provides)
    for row in stack.cluster_rows:
        if row.protect:
            assert f"`{row.id}`" in text
    for path in re.findall(r"^\| `([^`<]+)`", text.partition("## What is here")[2].partition("## ")[0], re.MULTILINE):
        there = [file for file in shipped.files(name) if file == path or file.startswith(path)]
        assert there, path


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_every_command_is_one_that_a_shell_reads(name: str) -> None:
    for path, data in shipped.files(name).items():
        if path.endswith("README.md"):
            for block in re.findall(r"^```sh\n(.*?)^```$", data.decode(), re.MULTILINE | re.DOTALL):
                if "nv config" not in block and "configure session" not in block:
                    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
                    assert checked.returncode == 0, (path, block, checked.stderr)


def test_a_hostile_word_takes_nothing_apart() -> None:
    row = MAKE.kubernetes("v1", "ConfigMap", "a")
    plan = StackPlan(
        "demo-lab-platform",
        "demo",
        place(),
        (),
        {"a.b": Decision("a.b", HOSTILE, HOSTILE, (Rejected(HOSTILE, HOSTILE),))},
        (),
    )
    patched = KubernetesRow(row.id, row.part, row.wave, row.body, override=HOSTILE)
    stack = linked(plan, {row.id: patched})
    text = written(stack, origin(description=HOSTILE, warnings=[Problem(HOSTILE, hint=HOSTILE, rule="X-001")]))
    assert broken_tables(text) == []
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# demo-lab-platform"]
    assert "no heading" not in sections(text)
    assert "<script>" not in re.sub(r"`[^`]*`", "", text.replace("\\<", ""))
    assert text.count("\n```") % 2 == 0


def test_a_warning_says_how_to_mend_it() -> None:
    text = written(
        stack_of(MAKE.kubernetes("v1", "ConfigMap", "a")), origin(warnings=[Problem("x is y", hint="do z", rule="A-1")])
    )
    assert "- x is y (`A-1`). To mend it: do z" in text


ROWS: tuple[Row, ...] = (
    MAKE.kubernetes("v1", "Namespace", "op", wave=Wave.FOUNDATION, protect=True),
    release("op", crds=("drivers.example.com",), timeout_s=900),
    MAKE.kubernetes("example.com/v1", "Driver", "gpu", gate=Gate(path=".status.state", value="ready", timeout_s=90)),
    MAKE.kubernetes("v1", "PersistentVolumeClaim", "data", "op", retain_on_delete=True),
    MAKE.kubernetes("jobset.x-k8s.io/v1alpha2", "JobSet", "run", "op", wave=Wave.WORKLOADS),
)


def test_each_wave_says_what_it_waits_for_how_long_and_how_to_see_it() -> None:
    text = written(stack_of(*ROWS))
    assert "| `05-hardware` | drivers, networks, devices | 3 | 17 min | release `op`, `Driver gpu` |" in text
    assert (
        "kubectl --context lab wait '--for=jsonpath={.status.state}=ready' --timeout=0 driver.example.com/gpu" in text
    )
    assert "helm --kube-context lab status op --namespace op" in text
    assert "kubectl --context lab get -k manifests/10-workloads" in text


def test_what_stays_and_what_is_fixed_is_named() -> None:
    text = written(stack_of(*ROWS))
    assert "Kept on purpose: `Namespace/op`, `PersistentVolumeClaim/op/data`;" in text
    assert "can't be changed in place: `JobSet.jobset.x-k8s.io/op/run`" in text


def test_lists_of_a_large_factory_are_cut_and_counted() -> None:
    queues = [
        MAKE.kubernetes("x.io/v1", "Queue", f"q{number}", gate=Gate(condition="Active"), protect=True)
        for number in range(5000)
    ]
    text = written(stack_of(*queues))
    assert len(text) < 20_000
    assert "4992 more" in text
    assert "# and 4992 more: grep gate apply.sh" in text


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        (
            {"backend": "file://state", "secrets_provider": "passphrase"},
            ['pulumi login "file://$ROOT/"state', "PULUMI_CONFIG_PASSPHRASE_FILE", "--secrets-provider passphrase"],
        ),
        (
            {"backend": "s3://bucket/x?region=eu", "secrets_provider": "awskms://alias/a"},
            ["pulumi login 's3://bucket/x?region=eu'", "--secrets-provider awskms://alias/a"],
        ),
        ({"backend": "file:///srv/state", "secrets_provider": "passphrase"}, ["pulumi login file:///srv/state"]),
    ],
)
def test_the_state_is_where_the_site_says(state: dict[str, str], commands: list[str]) -> None:
    text = written(stack_of(*ROWS, at=place(state={**site_data()["state"], **state})))
    assert all(command in text for command in commands)
    assert ("ROOT=" in text) == (state["backend"] == "file://state")


def test_a_site_without_delivery_says_nothing_of_argo_cd() -> None:
    assert "Argo CD\n" not in written(stack_of(MAKE.kubernetes("v1", "ConfigMap", "a"))).partition("## Remove")[0]
