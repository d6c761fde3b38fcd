"""`copy-images.sh` fills the registry of a site that pulls copies, and says what charts take from elsewhere."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from aifactory.stacks.render.copies import COPY_IMAGES, copy_script
from support import shipped

STACK = "public-inference-eusc-de-platform"
HOST = "777788889999.dkr.ecr.eusc-de-east-1.amazonaws.eu"
ROOT = f"{HOST}/mirror/public-inference-eusc-de"
CHART = f"""\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  description: |
    image: nginx
---
kind: Deployment
spec:
  containers:
  - image: "{ROOT}/docker.io/grafana/grafana:13.0.1"
  - image: {HOST}/other/thing:1
"""


@cache
def listed() -> dict[str, str]:
    """Originals by copy, as `images.txt` names them."""
    lines = shipped.files(STACK)["images.txt"].decode().splitlines()
    return {line.split()[2]: line.split()[0] for line in lines if line[:1] not in ("", "#") and len(line.split()) > 2}


class Ran:
    """A run of the script with stand-ins for its tools, which write down how they were called."""

    def __init__(self, folder: Path, there: str = "", chart: str = CHART) -> None:
        tools = {
            "helm": f"cat <<'X'\n{chart}X",
            "aws": "echo secret-token",
            "crane": f"""case "$1" in
digest) [ "$2" = '{there}' ] ;;
auth) cat > '{folder}/password'; echo "$@" > '{folder}/login' ;;
copy) echo "$2 $3" >> '{folder}/copied' ;;
esac""",
        }
        (folder / "bin").mkdir()
        for name, body in tools.items():
            (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)
        stack = shipped.stacks()[STACK]
        assert stack.plan.mirror is not None
        script = folder / COPY_IMAGES
        script.write_text(copy_script(stack, stack.plan.mirror), encoding="utf-8")
        (folder / "images.txt").write_bytes(shipped.files(STACK)["images.txt"])
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        self.done = subprocess.run(
            ["sh", str(script)], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        copied = folder / "copied"
        self.copied = dict(line.split()[::-1] for line in copied.read_text().splitlines()) if copied.exists() else {}


def test_everything_that_is_listed_is_copied_and_what_charts_alone_name(tmp_path: Path) -> None:
    ran = Ran(tmp_path)
    assert ran.done.returncode == 0, ran.done.stderr
    grafana = {f"{ROOT}/docker.io/grafana/grafana:13.0.1": "docker.io/grafana/grafana:13.0.1"}
    assert len(listed()) > 20
    assert ran.copied == {**listed(), **grafana}
    assert (tmp_path / "password").read_text().strip() == "secret-token"
    assert HOST in (tmp_path / "login").read_text()


def test_what_is_there_is_not_copied_again(tmp_path: Path) -> None:
    there = next(iter(listed()))
    ran = Ran(tmp_path, there=there)
    assert there not in ran.copied
    assert len(ran.copied) == len(listed())


@pytest.mark.parametrize("line", ["image: docker.io/library/busybox:1", '- image: "quay.io/x/y:2"', "image: nginx"])
def test_an_image_that_a_chart_takes_from_elsewhere_ends_it_before_anything_is_copied(
    tmp_path: Path, line: str
) -> None:
    ran = Ran(tmp_path, chart=f"{CHART}  {line}\n")
    assert ran.done.returncode == 1
    assert line in ran.done.stderr
    assert ran.copied == {}


def test_folders_that_pull_no_copies_have_no_script() -> None:
    assert COPY_IMAGES in shipped.files(STACK)
    assert [name for name in shipped.PLATFORMS if COPY_IMAGES in shipped.files(name)] == [
        name for name in shipped.PLATFORMS if shipped.stacks()[name].plan.mirror
    ]
