"""How good the speed model is: measured rows, estimated again, by class of row.

    python -m aifactory.components.sizing.accuracy measurements.yaml

checks a file of your own measurements, in the form of the rows of `throughput.inferencex_concurrency_64`:
`rows: [{model, accelerator, precision, gpus, isl, osl, concurrency, output_tokens_per_s_per_gpu}, ...]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from aifactory.components.catalog import Catalog, UnknownFact
from aifactory.components.sizing.card import Card, card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.geometry import Geometry, geometry
from aifactory.components.sizing.layouts import divides
from aifactory.components.sizing.memory import memory
from aifactory.components.sizing.roofline import Constants, Replica, constants, speed

SHARED_NODE = 8
"""GPUs of the systems that MLPerf submitters used, joined in one domain."""

MLPERF_MODELS = {"llama3.1-8b": "llama-3.1-8b", "llama3.1-405b": "llama-3.1-405b"}
LENGTHS = {
    "llama2-70b": (294, 294),
    "llama3.1-405b": (9_400, 670),
    "deepseek-r1": (800, 3_886),
    "mixtral-8x7b": (145, 144),
    "llama3.1-8b": (870, 128),
}
"""Mean tokens in and out of the data sets. Source: throughput.yaml, rules. The prompt of deepseek-r1 and mixtral is
not stated there; it is short against the answer, and taken as short."""

LIMITS_MS = {
    "server": {
        "llama2-70b": 200,
        "llama3.1-405b": 175,
        "deepseek-r1": 80,
        "mixtral-8x7b": 200,
        "llama3.1-8b": 100,
    },
    "interactive": {"llama2-70b": 40, "llama3.1-405b": 80, "deepseek-r1": 15, "llama3.1-8b": 30},
}
"""Time for each output token that a scenario allows. Source: rules of MLPerf Inference v5.1, latency constraints."""

NO_LIMIT = 1e9


class Compared(Struct, frozen=True):
    """A measured row and its estimate, None when a figure of the card is unknown."""

    row: str
    measured: float
    estimated: float | None
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """Estimated over measured."""
        return None if self.estimated is None else self.estimated / self.measured


class Summary(Struct, frozen=True):
    """A class of rows."""

    rows: int
    estimated: int
    median_error: float
    median_ratio: float
    within_half_more: float
    within_twice: float


def summary(compared: Iterable[Compared]) -> Summary:
    """What a class of rows says, of those that could be estimated."""
    rows = list(compared)
    ratios = [each.ratio for each in rows if each.ratio is not None]
    if not ratios:
        return Summary(len(rows), 0, 0.0, 0.0, 0.0, 0.0)
    return Summary(
        rows=len(rows),
        estimated=len(ratios),
        median_error=median(abs(ratio - 1) for ratio in ratios),
        median_ratio=median(ratios),
        within_half_more=sum(1 / 1.5 <= ratio <= 1.5 for ratio in ratios) / len(ratios),
        within_twice=sum(0.5 <= ratio <= 2 for ratio in ratios) / len(ratios),
    )


def at_concurrency(catalog: Catalog, name: str, row: Mapping[str, Any]) -> Compared:
    """A row that was measured at a number of concurrent requests."""
    measured = float(row["output_tokens_per_s_per_gpu"])
    precision = _precision(str(row["precision"]), str(row["model"]))
    parts = _parts(catalog, str(row["model"]), str(row["accelerator"]))
    if isinstance(parts, str):
        return Compared(name, measured, None, parts)
    shape, on, fixed = parts
    if not on.computes_in(precision):
        return Compared(name, measured, None, f"{on.key} doesn't compute in {precision}")
    gpus = int(row["gpus"])
    found = speed(
        Replica(shape, on, precision, gpus, fixed), int(row["concurrency"]), float(row["isl"]), float(row["osl"])
    )
    return Compared(name, measured, found.tokens_per_s / gpus)


def mlperf(catalog: Catalog, name: str, row: Mapping[str, Any]) -> Compared:
    """A row of MLPerf: the best number of requests at once that memory and the scenario's latency allow."""
    tokens = row["tokens_per_s"]
    measured = float(tokens["best"] if isinstance(tokens, Mapping) else tokens)
    model, scenario = str(row["model"]), str(row["scenario"])
    parts = _parts(catalog, MLPERF_MODELS.get(model, model), str(row["accelerator"]))
    if isinstance(parts, str):
        return Compared(name, measured, None, parts)
    reads, writes = LENGTHS[model]
    limit = LIMITS_MS.get(scenario, {}).get(model, NO_LIMIT)
    demand = Demand(0.0, 1.0, reads, writes, limit)
    count = int(row["count"])
    per_gpu = _best(*parts, _precision(str(row["precision"]), model), min(count, SHARED_NODE), demand)
    if per_gpu is None:
        return Compared(name, measured, None, "no cut reaches the scenario's latency")
    return Compared(name, measured, per_gpu * count)


def _best(shape: Geometry, on: Card, fixed: Constants, precision: str, gpus: int, demand: Demand) -> float | None:
    """Tokens per s of each GPU at the best cut."""
    found: list[float] = []
    for tensor in (size for size in (1, 2, 4, 8) if size <= gpus and divides(shape, size)):
        room = memory(shape, on, precision, tensor, 1, demand.tokens, 0.0)
        replica = Replica(shape, on, precision, tensor, fixed)
        sequences = 1
        while sequences <= room.sequences:
            at = speed(replica, sequences, demand.input_tokens, demand.output_tokens)
            if at.itl_s * 1_000 <= demand.itl_ms:
                found.append(at.tokens_per_s / tensor)
            sequences = max(sequences + 1, sequences * 21 // 20)
    return max(found, default=None)


def _precision(written: str, model: str) -> str:
    """The kernel's word for a format. Four-bit weights of gpt-oss are mxfp4; int4 takes the room of fp4."""
    if written in ("fp4", "mxfp4") and model.startswith("gpt-oss"):
        return "mxfp4"
    return {"int4": "fp4", "mxfp4": "fp4"}.get(written, written)


def _parts(catalog: Catalog, model: str, accelerator: str) -> tuple[Geometry, Card, Constants] | str:
    row = catalog.find("models", model) or catalog.find("roofline.reference_models", model)
    on = catalog.find("accelerators", accelerator)
    if row is None or on is None:
        return f"{model if row is None else accelerator} is not in the catalog"
    facts = card(on)
    if facts.unknown:
        return f"{facts.key} has no sourced {', '.join(facts.unknown)}"
    return geometry(row), facts, constants(catalog.row("roofline", "v2"))


def lines(compared: Iterable[Compared]) -> list[str]:
    """A line for each row and one for all, for a terminal."""
    rows = list(compared)
    found = [
        f"{each.ratio:5.2f}  {each.row}" if each.ratio is not None else f"    -  {each.row}: {each.why}"
        for each in rows
    ]
    total = summary(rows)
    return [
        *found,
        (
            f"{total.estimated} of {total.rows} rows estimated: median error {total.median_error:.0%}, median ratio "
            f"{total.median_ratio:.2f}, {total.within_twice:.0%} within a factor of two"
        ),
    ]


def main(arguments: list[str]) -> int:
    """Compare a file of measurements. Exit code 2 for a file that isn't one."""
    from aifactory.components.catalog.source import ReadError, read  # noqa: PLC0415 - PyYAML costs 15 ms

    if len(arguments) != 1:
        sys.stderr.write("usage: python -m aifactory.components.sizing.accuracy FILE\n")
        return 2
    try:
        rows = read(Path(arguments[0]).read_bytes())["rows"]
        found = [at_concurrency(Catalog.shipped(), f"row {index + 1}", row) for index, row in enumerate(rows)]
    except (OSError, ReadError, KeyError, TypeError, ValueError, ArithmeticError, UnknownFact) as error:
        sys.stderr.write(f"{arguments[0]}: {type(error).__name__}: {error}; see the head of this module for the form\n")
        return 2
    sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
