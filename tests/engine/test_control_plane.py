"""The control plane is real, ready soon, and gone whatever happens to who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.proving.api import Refused
from support.proving.control_plane import SERVERS, ControlPlane
from support.proving.tools import KUBERNETES

pytestmark = pytest.mark.cluster
SIZE = {"cpu": "64", "memory": "512Gi", "pods": "110", "nvidia.com/gpu": "8"}
STARTER = """\
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from support.proving.control_plane import ControlPlane
plane = ControlPlane(Path({folder!r})).__enter__()
print("ready", flush=True)
time.sleep(600)
"""


def node(name: str) -> dict[str, object]:
    room = {"capacity": SIZE, "allocatable": SIZE}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": room}


def pod(name: str, gpus: int) -> dict[str, object]:
    container = {"name": "c", "image": "example.com/none", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def test_pods_land_on_simulated_nodes_while_there_is_room(plane: ControlPlane) -> None:
    assert plane.api.call("GET", "/version")["gitVersion"] == f"v{KUBERNETES}"
    plane.add_nodes([node("one"), node("two")])
    wanted = [pod(f"pod-{index}", 8) for index in range(3)]
    for each in wanted:
        plane.api.apply(each)
    plane.wait(lambda: [plane.api.get(each)["status"]["phase"] for each in wanted].count("Running") == 2, "two run")
    found = [plane.api.get(each) for each in wanted]
    assert {each["spec"]["nodeName"] for each in found if "nodeName" in each["spec"]} == {"one", "two"}
    (waiting,) = [each for each in found if "nodeName" not in each["spec"]]
    (condition,) = waiting["status"]["conditions"]
    assert "2 Insufficient nvidia.com/gpu" in condition["message"]


def test_nodes_get_ready_although_their_simulation_died(plane: ControlPlane) -> None:
    plane.add_nodes([node("one")])
    plane.servers["kwok"].kill()
    plane.add_nodes([node("two")])
    assert plane.servers["kwok"].alive


def test_a_deleted_namespace_takes_its_objects_along(plane: ControlPlane) -> None:
    before = set(plane.api.all())
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    entry = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "team"},
        "data": {"a": "b"},
    }
    plane.api.apply(space)
    plane.api.apply(entry)
    assert "ConfigMap./team/a" in plane.api.all()
    plane.api.delete(space)
    plane.wait(lambda: plane.api.get(space) is None, "the namespace is gone")
    assert set(plane.api.all()) - before == set()


def test_a_kind_that_nobody_defined_is_refused(plane: ControlPlane) -> None:
    with pytest.raises(Refused) as refused:
        plane.api.apply({"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "a"}})
    assert refused.value.code == 404


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_server_outlives_its_starter(plane: ControlPlane, tmp_path: Path, how: signal.Signals) -> None:
    """Also after a crash, which runs no clean-up: the servers watch a pipe."""
    assert plane.servers.keys() >= set(SERVERS)
    program = STARTER.format(tests=str(Path(__file__).parents[1]), folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        assert len(_running(tmp_path)) >= len(SERVERS)
        os.kill(starter.pid, how)
        starter.wait(timeout=30)
    until = time.monotonic() + 30
    while (left := _running(tmp_path)) and time.monotonic() < until:
        time.sleep(0.2)
    assert left == []
    assert (tmp_path / "kube-apiserver.log").stat().st_size > 0


def _running(folder: Path) -> list[str]:
    """Command lines of processes whose working folder this is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").resolve() == folder.resolve():
                found.append(process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
