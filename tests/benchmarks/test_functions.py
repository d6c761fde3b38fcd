"""Functions on the hot path of every command, on the reference blueprint: run once in a test, measured by the bench."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aifactory.blueprints.load import Loaded, load
from aifactory.cli.generating import origin_of
from aifactory.cli.work import prepare
from aifactory.components.catalog import Catalog
from aifactory.components.sizing.card import card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.geometry import geometry
from aifactory.components.sizing.known import known
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from aifactory.stacks.assembly.stack import Stack, assemble
from aifactory.stacks.estimate.estimating import estimate
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


def test_load_a_blueprint_with_two_sites(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(load, ROOT / REFERENCE).sites) == 2


def test_plan_two_sites(benchmark: BenchmarkFixture, loaded: Loaded) -> None:
    assert len(benchmark(plan_factory, loaded).stacks) == 2


def test_assemble_two_stacks(benchmark: BenchmarkFixture, plan: FactoryPlan) -> None:
    def both() -> list[Stack]:
        return [assemble(stack)[-1] for stack in plan.stacks.values()]

    assert all(stack.rows for stack in benchmark(both))


def test_estimate_two_sites(benchmark: BenchmarkFixture, plan: FactoryPlan, loaded: Loaded) -> None:
    stacks = {stack.name: layer for stack in plan.stacks.values() for layer in assemble(stack)}
    found = benchmark(estimate, plan, loaded, stacks, "2026-11-29")
    assert [len(site.lines) > 5 for site in found.sites] == [True, True]


def test_digest_a_plan(benchmark: BenchmarkFixture, plan: FactoryPlan, loaded: Loaded) -> None:
    def digest() -> str:
        return digest_of(factory_data(plan, loaded.catalog))

    assert benchmark(digest).startswith("sha256:")


def test_size_the_reference_demand(benchmark: BenchmarkFixture) -> None:
    """A 70B chat model in fp8 on nodes of eight H200, 40 requests per s at peak."""
    catalog = Catalog.shipped()
    fixed = known(catalog)
    demand = Demand(12.0, 40.0, 1_800, 350, 40.0)
    model, on = geometry(catalog.row("models", "llama-3.1-70b")), card(catalog.row("accelerators", "h200"))
    wishes = Options(precision="fp8", gpus_per_node=8, max_model_len=16_384)
    assert isinstance(benchmark(size, demand, model, on, wishes, fixed), Sizing)


def test_render_two_stacks(benchmark: BenchmarkFixture) -> None:
    work = prepare(ROOT / REFERENCE)

    def files() -> dict[tuple[str, str], bytes]:
        return {
            (name, path): data
            for name, stack in work.shown.items()
            for path, data in stack_files(stack, origin_of(work, stack))
        }

    assert len(benchmark(files)) > 100
