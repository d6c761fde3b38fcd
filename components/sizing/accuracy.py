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
from aifactory.components.counting import counted
from aifactory.components.sizing.card import Card, card
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.geometry import Geometry, geometry
from aifactory.components.sizing.known import known
from aifactory.components.sizing.layouts import cuts
from aifactory.components.sizing.memory import memory
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.roofline import Replica, speed

SHARED_NODE = 8
"""GPUs of the systems that MLPerf submitters used, joined in one domain."""

MLPERF_MODELS = {"llama3.1-8b": "llama-3.1-8b", "llama3.1-405b": "llama-3.1-405b"}
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


NUMBERS = ("gpus", "isl", "osl", "concurrency", "output_tokens_per_s_per_gpu")
WRITTEN = ("bf16", "fp8", "fp4", "mxfp4", "int4")
"""Formats of measured rows. int4 takes the room of fp4, and is computed as that."""


def checked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, if it has what a comparison needs. Raises ValueError with the field, its value and what is allowed."""
    for field in NUMBERS:
        value = row.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < NO_LIMIT:
            raise ValueError(f"{field}: {value!r} is not a number above 0")
    for field in ("gpus", "concurrency"):
        if row[field] != int(row[field]):
            raise ValueError(f"{field}: {row[field]!r} is not a whole number")
    for field in ("model", "accelerator"):
        if not isinstance(row.get(field), str):
            raise ValueError(f"{field}: {row.get(field)!r} is not a name")
    if row.get("precision") not in WRITTEN:
        raise ValueError(f"precision: {row.get('precision')!r} is none of {', '.join(WRITTEN)}")
    return row


def at_concurrency(catalog: Catalog, name: str, row: Mapping[str, Any]) -> Compared:
    """A row that was measured at a number of concurrent requests. Its GPUs are taken to work on each layer together."""
    measured = float(row["output_tokens_per_s_per_gpu"])
    precision = _precision(str(row["precision"]), str(row["model"]))
    parts = _parts(catalog, str(row["model"]), str(row["accelerator"]))
    if isinstance(parts, str):
        return Compared(name, measured, None, parts)
    shape, on = parts
    if not on.computes_in(precision):
        return Compared(name, measured, None, f"{on.key} doesn't compute in {precision}")
    gpus = int(row["gpus"])
    replica = Replica(shape, on, precision, gpus, known(catalog).speed)
    found = speed(replica, int(row["concurrency"]), float(row["isl"]), float(row["osl"]))
    return Compared(name, measured, found.tokens_per_s / gpus)


def mlperf(catalog: Catalog, name: str, row: Mapping[str, Any]) -> Compared:
    """A row of MLPerf: the best number of requests at once that memory and the scenario's latency allow."""
    tokens = row["tokens_per_s"]
    measured = float(tokens["best"] if isinstance(tokens, Mapping) else tokens)
    model, scenario = str(row["model"]), str(row["scenario"])
    parts = _parts(catalog, MLPERF_MODELS.get(model, model), str(row["accelerator"]))
    if isinstance(parts, str):
        return Compared(name, measured, None, parts)
    rules = catalog.row("roofline.mlperf", model)
    limit = rules.number_or_zero(f"{scenario}_ms") or NO_LIMIT
    demand = Demand(0.0, 1.0, rules.count("input_tokens"), rules.count("output_tokens"), limit)
    count = int(row["count"])
    options = Options(_precision(str(row["precision"]), model), min(count, SHARED_NODE))
    per_gpu = _best(Case(demand, *parts, options, known(catalog)))
    if per_gpu is None:
        return Compared(name, measured, None, "no cut reaches the scenario's latency")
    return Compared(name, measured, per_gpu * count)


def _best(case: Case) -> float | None:
    """Tokens per s of each GPU at the best cut."""
    found: list[float] = []
    demand, precision = case.demand, case.options.precision
    for cut in cuts(case.shape, case.options):
        room = memory(case, cut)
        replica = Replica(case.shape, case.card, precision, cut.tensor, case.known.speed)
        sequences = 1
        while sequences <= room.sequences:
            at = speed(replica, sequences, demand.input_tokens, demand.output_tokens)
            if at.itl_s * 1_000 <= demand.itl_ms:
                found.append(at.tokens_per_s / cut.tensor)
            sequences = max(sequences + 1, sequences * 21 // 20)
    return max(found, default=None)


def _precision(written: str, model: str) -> str:
    """The kernel's word for a format. Four-bit weights of gpt-oss are mxfp4; int4 takes the room of fp4."""
    if written in ("fp4", "mxfp4") and model.startswith("gpt-oss"):
        return "mxfp4"
    return {"int4": "fp4", "mxfp4": "fp4"}.get(written, written)


def _parts(catalog: Catalog, model: str, accelerator: str) -> tuple[Geometry, Card] | str:
    row = catalog.find("models", model) or catalog.find("roofline.reference_models", model)
    on = catalog.find("accelerators", accelerator)
    if row is None or on is None:
        return f"{model if row is None else accelerator} is not in the catalog"
    facts = card(on)
    if facts.unknown:
        return f"{facts.key} has no sourced {', '.join(facts.unknown)}"
    return geometry(row), facts


def lines(compared: Iterable[Compared]) -> list[str]:
    """A line for each row and one for all, for a terminal."""
    rows = list(compared)
    found = [
        f"{each.ratio:5.2f}  {each.row}" if each.ratio is not None else f"    -  {each.row}: {each.why}"
        for each in rows
    ]
    total = summary(rows)
    if not total.estimated:
        return [*found, f"none of {counted(total.rows, 'row')} could be estimated"]
    return [
        *found,
        (
            f"{total.estimated} of {counted(total.rows, 'row')} estimated: median error {total.median_error:.0%}, "
            f"median ratio {total.median_ratio:.2f}, {total.within_twice:.0%} within a factor of two"
        ),
    ]


def main(arguments: list[str]) -> int:
    """Compare a file of measurements. Exit code 1 where nothing could be estimated, 2 for a file that isn't one."""
    from aifactory.components.catalog.source import ReadError, read  # noqa: PLC0415 - PyYAML costs 15 ms

    if len(arguments) != 1:
        sys.stderr.write("usage: python -m aifactory.components.sizing.accuracy FILE\n")
        return 2
    try:
        rows = read(Path(arguments[0]).read_bytes())["rows"]
        found = [_own(index, row) for index, row in enumerate(rows)]
    except (OSError, ReadError, KeyError, TypeError, ValueError, UnknownFact) as error:
        sys.stderr.write(f"{arguments[0]}: {type(error).__name__}: {error}; see the head of this module for the form\n")
        return 2
    sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0 if any(each.ratio is not None for each in found) else 1


def _own(index: int, row: Any) -> Compared:
    name = f"row {index + 1}"
    if not isinstance(row, Mapping):
        raise TypeError(f"{name} is no map")
    try:
        return at_concurrency(Catalog.shipped(), name, checked(row))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
