"""A thousand what-if variants in process. Budget of issue 8: 20 s."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aifactory.cli.what_if import varied
from aifactory.cli.work import prepare
from aifactory.stacks.estimate.varying import Variant
from benchmarks.jobs import ROOT

pytestmark = pytest.mark.bench
PUBLIC = ROOT / "blueprints" / "library" / "public-inference.yaml"
TENTHS = ",".join(f"0.{tenth}" for tenth in range(1, 10)) + ",1"
PRICES = (f"usd_per_kwh={TENTHS}", f"capex={TENTHS}", f"p5en.48xlarge={TENTHS}")
PLANS = ("demand=" + ",".join(f"1.{tenth}" for tenth in range(10)), f"usd_per_kwh={TENTHS}", f"p5en.48xlarge={TENTHS}")


@pytest.mark.parametrize("texts", [PRICES, PLANS], ids=["prices alone", "with ten plans"])
def test_a_thousand_variants_at_four_sites(benchmark: BenchmarkFixture, texts: tuple[str, ...]) -> None:
    work = prepare(PUBLIC)

    def all_of_them() -> tuple[Variant, ...]:
        return varied(work, PUBLIC, {}, texts)

    found = benchmark.pedantic(all_of_them, rounds=1)
    assert len(found) == 1_000
    assert benchmark.stats is None or benchmark.stats.stats.max < 20
