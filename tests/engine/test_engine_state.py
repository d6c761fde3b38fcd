"""What the engine itself leaves in a state, where it writes one after each resource: as elsewhere than in files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aifactory.stacks.program import engine as engines
from aifactory.stacks.program import safely
from aifactory.stacks.program.adapter import register_stack
from aifactory.stacks.program.deployment import Deployment, RunFailed, Target, opened
from aifactory.stacks.program.engine import Engine, EngineError
from aifactory.stacks.program.locks import engine_locks
from benchmarks.registration import row_set
from support.proving.files_cluster import FilesCluster

pytestmark = pytest.mark.engine
MakeCluster = Callable[..., FilesCluster]
ROWS = row_set(60)


@contextmanager
def stack(cluster: FilesCluster) -> Iterator[Deployment]:
    """The stack of the rows, whose dead locks are cleared."""
    target = target_of(cluster)
    with opened(Engine(), target, create=True) as deployment, safely.alone(target, lambda _: None):
        assert deployment is not None
        yield deployment


def target_of(cluster: FilesCluster) -> Target:
    return Target(ROWS.stack, f"file://{cluster.state}", "passphrase")


def up(deployment: Deployment, *, refresh: bool = False) -> None:
    """One run that writes the state after each resource."""
    deployment.up(lambda: register_stack(ROWS, Path("/project")), lambda _: None, refresh=refresh)


@pytest.fixture
def cluster(files_cluster: MakeCluster, monkeypatch: pytest.MonkeyPatch) -> FilesCluster:
    """A cluster, and the engine in front of it in this process."""
    made = files_cluster(50)
    for name in ("PATH", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE", "AIFACTORY_FILES_CLUSTER"):
        monkeypatch.setenv(name, made.environment[name])
    return made


def killed(cluster: FilesCluster) -> None:
    """A run whose engine is killed after its 25th create."""
    cluster.break_at(25, "kill after")
    with stack(cluster) as deployment, pytest.raises(EngineError, match="killed by signal 9"):
        up(deployment)
    time.sleep(1.1)  # what is half written counts as left after a second


def test_pending_creates_are_asked_about_and_nothing_is_made_twice(cluster: FilesCluster) -> None:
    killed(cluster)
    told: list[str] = []
    with stack(cluster) as deployment:
        before = deployment.exported()["deployment"]
        creating = [one for one in before["pending_operations"] if one["type"] == "creating"]
        assert creating
        start = safely.settle(Engine(), target_of(cluster), deployment, told.append)
        assert start.cut_off
        after = deployment.exported()["deployment"]
        assert not after.get("pending_operations")
        assert len(cluster.rows_in_state) == len(cluster.objects)
        up(deployment, refresh=True)
    assert len(cluster.objects) == len(set(cluster.rows_in_state)) == len(ROWS.rows)
    assert (cluster.said["create"], cluster.said["exists"]) == (len(ROWS.rows), 0)
    assert "asking the cluster about" in told[0]


def test_the_engine_alone_would_not_go_on(cluster: FilesCluster) -> None:
    killed(cluster)
    assert cluster.said["exists"] == 0
    with stack(cluster) as deployment, pytest.raises(RunFailed):
        up(deployment)
    assert cluster.said["exists"] > 0, "it makes again what was made, and is refused"


def test_a_state_whose_attributes_are_cut_off_is_read(cluster: FilesCluster) -> None:
    with stack(cluster) as deployment:
        up(deployment)
    attributes = cluster.state / ".pulumi/stacks/aifactory" / f"{ROWS.stack}.json.attrs"
    attributes.write_bytes(b"")
    os.utime(attributes, (0, 0))
    with stack(cluster) as deployment:
        assert len(deployment.resources()) > len(ROWS.rows)


def test_a_killed_engine_leaves_a_lock_that_is_known_to_be_dead(cluster: FilesCluster) -> None:
    killed(cluster)
    holders = engine_locks(cluster.state, ROWS.stack)
    assert [holder.is_gone for holder in holders.values()] == [True]


def test_both_ways_end_in_the_same_state(cluster: FilesCluster) -> None:
    with stack(cluster) as deployment:
        up(deployment)
        slow = comparable(deployment.resources())
        deployment.destroy(lambda _: None)
        with deployment.writing_once():
            up(deployment)
        assert comparable(deployment.resources()) == slow


def test_the_engine_needs_no_setting_of_the_user_to_write_once(
    cluster: FilesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "false")
    assert "PULUMI_SKIP_CHECKPOINTS" not in engines.engine_environment(os.environ)
    cluster.break_at(25, "kill after")
    with (
        stack(cluster) as deployment,
        deployment.writing_once(),
        pytest.raises(EngineError, match="killed by signal 9"),
    ):
        up(deployment)
    assert cluster.rows_in_state == []


def comparable(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Resources by URN, without times and ids of the moment."""
    provider = next(one for one in resources if one["type"] == "pulumi:providers:kubernetes")["id"]
    return {
        one["urn"]: {
            key: str(value).replace(provider, "ID") for key, value in one.items() if key not in ("created", "modified")
        }
        for one in resources
    }
