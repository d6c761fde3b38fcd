"""Quantities are written as a Kubernetes server would write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components import quantities

BINARY = {"Mi": 1, "Gi": 1024, "Ti": 1024**2, "Pi": 1024**3}
DECIMAL = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (8, "8"), (999, "999"), (1_000, "1k"), (1_456, "1456"), (96_000, "96k"), (2_000_000, "2M")],
)
def test_a_count_takes_the_largest_suffix_without_a_fraction(number: int, text: str) -> None:
    assert quantities.count(number) == text


@pytest.mark.parametrize(
    ("milli", "text"), [(0, "0"), (500, "500m"), (22_000, "22"), (22_750, "22750m"), (4_000_000, "4k")]
)
def test_parts_of_a_cpu_are_written_in_thousandths(milli: int, text: str) -> None:
    assert quantities.cpu(milli) == text


@pytest.mark.parametrize(
    ("mib", "text"),
    [(0, "0"), (1, "1Mi"), (1_500, "1500Mi"), (2_048, "2Gi"), (1_991_680, "1945Gi"), (2_097_152, "2Ti")],
)
def test_memory_takes_the_largest_suffix_without_a_fraction(mib: int, text: str) -> None:
    assert quantities.mib(mib) == text


def test_gibibytes_are_mebibytes_times_1024() -> None:
    assert (quantities.gib(64), quantities.gib(8_192)) == ("64Gi", "8Ti")


@given(st.integers(min_value=1, max_value=10**15))
def test_a_quantity_means_the_number_it_was_made_from(number: int) -> None:
    count, memory = quantities.count(number), quantities.mib(number)
    assert int(count.rstrip("kMGT")) * DECIMAL.get(count[-1], 1) == number
    assert int(memory.rstrip("MGTPi")) * BINARY[memory[-2:]] == number
