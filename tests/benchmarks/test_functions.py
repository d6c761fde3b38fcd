"""Functions on the hot path of every command, measured on the reference blueprint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aifactory.blueprints.load import Loaded, load
from aifactory.stacks.assembly.stack import Stack, assemble
from aifactory.stacks.planning.data import digest_of, factory_data
from aifactory.stacks.planning.factory import plan_factory
from aifactory.stacks.planning.model import FactoryPlan
from aifactory.stacks.render.folder import stack_files
from benchmarks.jobs import REFERENCE, ROOT

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """The reference blueprint with its sites."""
    return load(ROOT / REFERENCE)


@pytest.fixture(scope="module")
def plan(loaded: Loaded) -> FactoryPlan:
    """Its plan."""
    return plan_factory(loaded)


@pytest.fixture(scope="module")
def stacks(plan: FactoryPlan) -> list[Stack]:
    """Its stacks."""
    return [assemble(stack) for stack in plan.stacks.values()]


def test_load_a_blueprint_with_two_sites(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(load, ROOT / REFERENCE).sites) == 2


def test_plan_two_sites(benchmark: BenchmarkFixture, loaded: Loaded) -> None:
    assert len(benchmark(plan_factory, loaded).stacks) == 2


def test_assemble_two_stacks(benchmark: BenchmarkFixture, plan: FactoryPlan) -> None:
    def both() -> list[Stack]:
        return [assemble(stack) for stack in plan.stacks.values()]

    assert all(stack.rows for stack in benchmark(both))


def test_digest_a_plan(benchmark: BenchmarkFixture, plan: FactoryPlan, loaded: Loaded) -> None:
    def digest() -> str:
        return digest_of(factory_data(plan, loaded.catalog))

    assert benchmark(digest).startswith("sha256:")


def test_render_two_stacks(
    benchmark: BenchmarkFixture, plan: FactoryPlan, loaded: Loaded, stacks: list[Stack]
) -> None:
    data: dict[str, Any] = factory_data(plan, loaded.catalog)

    def files() -> Iterator[tuple[str, bytes]]:
        for stack in stacks:
            yield from stack_files(stack, "sha256:0", {"stack": data["stacks"][stack.name]}, [])

    assert benchmark(lambda: dict(files()))
