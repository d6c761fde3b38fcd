"""`apply.sh`, run for real against stand-ins of kubectl and helm that write down how they were called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from aifactory.components.rows import Gate, HostRow, Row, Wave
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.manifests import steps
from aifactory.stacks.render.script import apply_script
from support import shipped
from support.aws_sites import planned
from support.planning import place, site_data
from support.stacking import MAKE, release, stack_of

TOOL = r"""#!/bin/bash
tool=${0##*/}
printf '%s' "$tool" >> "$CALLS"
for word in "$@"; do printf ' <%s>' "$word" >> "$CALLS"; done
printf '\n' >> "$CALLS"
case "$tool $*" in
  *" get --raw /version") echo "{\"gitVersion\": \"${SERVER-v1.35.6}\"}"; exit "${DOWN:-0}" ;;
  "helm version --short") echo "${HELM:-v3.16.2+g13654a5}"; exit 0 ;;
  *" list "*) [ -z "${PENDING:-}" ] || case "$*" in *"^$PENDING\$"*) echo "$PENDING" ;; esac; exit 0 ;;
  *"condition=Failed"*) exit "${NOT_FAILED:-1}" ;;
esac
if [ -n "${BREAK:-}" ] && [[ "$tool $*" == *"$BREAK"* ]]; then echo "${SAYS:-broken}" >&2; exit 1; fi
"""
NEEDED = ("bash", "dirname", "grep", "sed", "sleep", "tr")


class Folder:
    """A stack's script in a folder of its own, with stand-ins for the tools."""

    def __init__(self, path: Path, stack: Stack) -> None:
        self.path = path
        self.calls_file = path / "calls"
        self.bin = path / "bin"
        self.bin.mkdir()
        for name in NEEDED:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        for name in ("kubectl", "helm"):
            self._write(self.bin / name, TOOL)
        self._write(path / "apply.sh", apply_script(stack, steps(stack)))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        return subprocess.run(
            [str(self.path / "apply.sh"), *options],
            env={"PATH": str(self.bin), "CALLS": str(self.calls_file), "HOME": "/home/op", **environment},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def calls(self) -> list[str]:
        """Calls that do something, without the words that they share."""
        lines = self.calls_file.read_text().splitlines()
        short = [line.replace(" <--context> <lab>", "").replace(" <--kube-context> <lab>", "") for line in lines]
        return [line for line in short if not any(read in line for read in ("<version>", "/version", "<list>"))]


ROWS: tuple[Row, ...] = (
    MAKE.kubernetes("v1", "Namespace", "op", wave=Wave.FOUNDATION),
    release("op", crds=("drivers.example.com",), timeout_s=900),
    MAKE.kubernetes("example.com/v1", "Driver", "gpu", gate=Gate(path=".status.state", value="ready", timeout_s=90)),
    MAKE.kubernetes("v1", "ConfigMap", "late", "op", after=("Driver.example.com/gpu",)),
    MAKE.kubernetes("v1", "ConfigMap", "last", "op", wave=Wave.WORKLOADS),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, stack_of(*ROWS))


def test_everything_is_applied_in_order_and_waited_for(folder: Folder) -> None:
    done = folder.run()
    assert done.returncode == 0, done.stderr
    apply = "kubectl <apply> <--server-side> <--field-manager=aifactory-demo-lab-platform> <-f>"
    chart = "<oci://charts.example.com/all/op>"
    install = f"helm <upgrade> <--install> <op> {chart} <--namespace> <op> <--values> <helm/op.yaml>"
    assert folder.calls == [
        f"{apply} <manifests/00-foundation/00-part.yaml>",
        f"{install} <--reset-values> <--version> <1.2.3> <--wait> <--timeout> <900s>",
        f"{apply} <manifests/05-hardware/01-part.yaml>",
        "kubectl <wait> <--for=jsonpath={.status.state}=ready> <--timeout=90s> <driver.example.com/gpu>",
        f"{apply} <manifests/05-hardware/02-part.yaml>",
        f"{apply} <manifests/10-workloads/00-part.yaml>",
    ]
    assert done.stdout.endswith("stack demo-lab-platform is applied\n")


def test_a_second_run_does_the_same_again(folder: Folder) -> None:
    folder.run()
    first = folder.calls
    assert folder.run().returncode == 0
    assert folder.calls == first


@pytest.mark.parametrize(
    ("options", "waves"),
    [
        ((), ["00-foundation", "05-hardware", "10-workloads"]),
        (("--from", "05-hardware"), ["05-hardware", "10-workloads"]),
        (("--to", "05-hardware"), ["00-foundation", "05-hardware"]),
        (("--from", "05-hardware", "--to", "05-hardware"), ["05-hardware"]),
        (("--from", "10-workloads"), ["10-workloads"]),
    ],
)
def test_a_run_can_start_and_end_at_any_wave(folder: Folder, options: tuple[str, ...], waves: list[str]) -> None:
    done = folder.run(*options)
    assert done.returncode == 0, done.stderr
    assert [line[3:] for line in done.stdout.splitlines() if line.startswith("== ")] == waves


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "hardware"),
        ("--from", "05"),
        ("--from", ""),
        ("--from",),
        ("--to", "06-scheduling"),
        ("--from", "10-workloads", "--to", "00-foundation"),
        ("--force",),
        ("05-hardware",),
    ],
)
def test_a_wrong_option_does_nothing(folder: Folder, options: tuple[str, ...]) -> None:
    done = folder.run(*options)
    assert (done.returncode, folder.calls_file.read_text()) == (2, "")
    assert done.stderr.startswith("apply.sh: ")


def test_a_failed_step_stops_the_run_and_says_how_to_go_on(folder: Folder) -> None:
    done = folder.run(BREAK="helm --kube-context lab upgrade", SAYS="Error: no such chart")
    assert done.returncode == 1
    assert "Error: no such chart" in done.stderr
    assert "stopped in wave 05-hardware, at: release op in namespace op" in done.stderr
    assert "./apply.sh --from 05-hardware" in done.stderr
    assert len(folder.calls) == 2
    assert "is applied" not in done.stdout
    assert folder.run("--from", "05-hardware").returncode == 0


def test_a_gate_that_never_holds_stops_the_run(folder: Folder) -> None:
    done = folder.run(BREAK=" wait ", SAYS="error: timed out waiting for the condition")
    assert done.returncode == 1
    assert "at: wait for jsonpath={.status.state}=ready of driver.example.com/gpu, at most 2 min" in done.stderr
    assert "wait" in folder.calls[-1]


def test_a_release_that_another_run_holds_is_not_touched(folder: Folder) -> None:
    done = folder.run(PENDING="op")
    assert done.returncode == 1
    assert "release op is pending" in done.stderr
    assert "helm rollback op --namespace op" in done.stderr
    assert not [call for call in folder.calls if "upgrade" in call]


@pytest.mark.parametrize(
    ("version", "word"),
    [
        ("v3.16.2+g13654a5", "--wait"),
        ("v3.19.0", "--wait"),
        ("v4.3.1", "--wait=legacy"),
        ("v4.3", "--wait=legacy"),
    ],
)
def test_custom_resources_of_a_chart_are_not_waited_for(folder: Folder, version: str, word: str) -> None:
    assert folder.run(HELM=version).returncode == 0
    assert f"<{word}>" in folder.calls[1]


def test_a_dry_run_changes_nothing(folder: Folder) -> None:
    done = folder.run("--dry-run")
    assert done.returncode == 0, done.stderr
    assert len(folder.calls) == 5
    assert all("<--dry-run=server>" in call for call in folder.calls)
    assert "dry run: 5 steps taken, 0 can't be judged yet, 0 refused" in done.stdout


NO_KIND = """\
resource mapping not found for name: "gpu" namespace: "" from "x": no matches for kind "Driver" in version "e/v1"
ensure CRDs are installed first"""
NO_NAMESPACE = 'Error from server (NotFound): namespaces "op" not found'


@pytest.mark.parametrize("says", [NO_KIND, NO_NAMESPACE, f"{NO_NAMESPACE}\n{NO_KIND}"])
def test_a_dry_run_does_not_judge_what_stands_on_a_later_thing(folder: Folder, says: str) -> None:
    done = folder.run("--dry-run", BREAK="05-hardware/01", SAYS=says)
    assert done.returncode == 0, done.stderr
    assert "can't be judged before what it stands on is there" in done.stdout
    assert "4 steps taken, 1 can't be judged yet, 0 refused" in done.stdout


def test_a_dry_run_looks_at_everything_and_fails_for_what_is_refused(folder: Folder) -> None:
    done = folder.run("--dry-run", BREAK="05-hardware/01", SAYS="error: unknown field spec.x")
    assert done.returncode == 1
    assert "unknown field spec.x" in done.stderr
    assert len(folder.calls) == 5
    assert "4 steps taken, 0 can't be judged yet, 1 refused" in done.stdout


def test_fields_of_others_are_taken_back_only_when_asked(folder: Folder) -> None:
    folder.run()
    assert not any("--force-conflicts" in call for call in folder.calls)
    folder.run("--force-conflicts")
    assert sum("<--force-conflicts>" in call for call in folder.calls) == 4


JOB = MAKE.kubernetes("batch/v1", "Job", "check", "op", gate=Gate(condition="Complete", timeout_s=1))


def test_a_failed_job_ends_the_wait(tmp_path: Path) -> None:
    folder = Folder(tmp_path, stack_of(ROWS[0], JOB))
    done = folder.run(BREAK="condition=Complete", NOT_FAILED="0")
    assert done.returncode == 1
    assert "job check failed" in done.stderr
    assert "logs --namespace op job/check" in done.stderr


def test_a_job_that_takes_too_long_ends_the_run(tmp_path: Path) -> None:
    done = Folder(tmp_path, stack_of(ROWS[0], JOB)).run(BREAK="condition=Complete")
    assert done.returncode == 1
    assert "job check is not complete" in done.stderr


def test_many_objects_with_one_gate_are_waited_for_together(tmp_path: Path) -> None:
    queues = [
        MAKE.kubernetes("x.io/v1", "Queue", f"q{number:03d}", gate=Gate(condition="Active")) for number in range(250)
    ]
    folder = Folder(tmp_path, stack_of(*queues))
    assert folder.run().returncode == 0
    assert [call.count("queue.x.io/") for call in folder.calls if "wait" in call] == [100, 100, 50]


def test_a_missing_tool_or_cluster_is_said_before_anything_is_done(folder: Folder) -> None:
    (folder.bin / "helm").unlink()
    done = folder.run()
    assert (done.returncode, done.stderr) == (3, "apply.sh: helm is not installed\n")
    (folder.bin / "helm").symlink_to(folder.bin / "kubectl")
    done = folder.run(DOWN="1", SERVER="")
    assert (done.returncode, folder.calls) == (3, [])
    assert "the cluster of context lab doesn't answer" in done.stderr


def test_another_kubernetes_than_planned_is_said(folder: Folder) -> None:
    assert folder.run(SERVER="v1.35.9+rke2r1").stderr == ""
    done = folder.run(SERVER="v1.36.1")
    assert done.returncode == 0
    assert "the plan is for Kubernetes 1.35" in done.stderr


def test_the_operator_may_name_another_cluster(folder: Folder) -> None:
    folder.run(KUBE_CONTEXT="two words")
    assert "<--context> <two words>" in folder.calls[0]


def test_work_by_hand_is_announced_before_its_wave(tmp_path: Path) -> None:
    host = HostRow("Host/a", "part", ("n1",), "/etc/x", "text\n", "why")
    done = Folder(tmp_path, stack_of(*ROWS, host)).run()
    lines = done.stdout.splitlines()
    assert lines[lines.index("== 05-hardware") + 1] == "-- by hand, before this wave: hosts/README.md"


def test_nothing_is_applied_while_a_file_holds_a_placeholder_of_the_base(tmp_path: Path) -> None:
    stack = planned().stacks[1]
    folder = Folder(tmp_path, stack)
    values = tmp_path / "helm" / "controller.yaml"
    values.parent.mkdir()
    values.write_text(f"vpcId: {placeholder(stack.handed[0])}\n", encoding="utf-8")
    for options in ((), ("--dry-run",), ("--from", "02-trust")):
        done = folder.run(*options)
        assert (done.returncode, folder.calls_file.read_text()) == (1, "")
        assert "stands in these files as ${aws:ec2/vpc:Vpc/cluster#id}:\nhelm/controller.yaml\n" in done.stderr
        assert "aifactory up" in done.stderr
    values.write_text("vpcId: vpc-0123456789abcdef0\nothers: ${env:POD_IP}\n", encoding="utf-8")
    assert folder.run().returncode == 0


HOSTILE = 'a\'b "c" $(touch pwned) `touch pwned` \\ ; & | \n x'


def test_hostile_names_stay_words(tmp_path: Path) -> None:
    cluster = site_data()["cluster"] | {"kubeconfig": {"context": "op@x:y/z", "file": "~/a 'b' \"c\" ; touch pwned"}}
    rows = (
        MAKE.kubernetes("v1", "Namespace", "op", wave=Wave.FOUNDATION),
        release("op", chart=HOSTILE, repository=HOSTILE, version=HOSTILE),
        MAKE.kubernetes("rbac.authorization.k8s.io/v1", "ClusterRole", "aifactory:view:$(touch pwned)"),
        MAKE.kubernetes("x.io/v1", "Y", "a:b", gate=Gate(path=HOSTILE, value=HOSTILE)),
    )
    folder = Folder(tmp_path, stack_of(*rows, at=place(cluster=cluster)))
    done = folder.run()
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*") if "pwned" in path.name]
    text = folder.calls_file.read_text()
    assert f"<--repo> <{HOSTILE}> <--version> <{HOSTILE}>" in text
    assert f"<--for=jsonpath={{{HOSTILE}}}={HOSTILE}>" in text
    assert "<y.x.io/a:b>" in text


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_the_script_of_a_shipped_stack_is_sound(name: str, tmp_path: Path) -> None:
    stack = shipped.stacks()[name]
    folder = Folder(tmp_path, stack)
    checker = ["shellcheck", "--shell=bash"] if shutil.which("shellcheck") else ["bash", "-n"]
    checked = subprocess.run([*checker, str(tmp_path / "apply.sh")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = folder.run()
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path)) == ["apply.sh", "bin", "calls"]
    applied = [word for call in folder.calls for word in call.split() if word.startswith("<manifests/")]
    assert applied == [f"<{step.path(part)}>" for step in steps(stack) for part, _ in step.objects]
