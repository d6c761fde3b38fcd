"""Index arithmetic worked out by hand. Each figure stands with its working; none came from the code."""

from __future__ import annotations

import pytest

from aifactory.components.rag import arithmetic as a

INDEX = [
    # 1536 x 4 + 8 = 6152 of the vector, 72 before it: 6224. Links 4 + 32 x 6 = 196, to a multiple of 8: 200, and on
    # higher levels 16 x 6 / 15 = 6.4. With two line pointers of 4: 6438.4. A page holds 8192 - 24 - 8 = 8160: one.
    (1_536, "single", 16, 8_192.0),
    # 4104 + 72 = 4176; 4176 + 206.4 + 8 = 4390.4; twice that is 8780.8, above 8160: one as well.
    (1_024, "single", 16, 8_192.0),
    # 2056 + 72 = 2128; 2342.4; three are 7027.2 and four 9369.6: three, 8192 / 3.
    (1_024, "half", 16, 2_730.667),
    # 3080 + 72 = 3152; 3366.4; two are 6732.8: 8192 / 2.
    (768, "single", 16, 4_096.0),
    # 776 + 72 = 848; 1062.4; seven are 7436.8 and eight 8499.2: 8192 / 7.
    (384, "half", 16, 1_170.286),
    # 8008 + 72 = 8080, with links 8294.4: not on one page. The vector has its page, and links begin another.
    (2_000, "single", 16, 16_384.0),
    (4_000, "half", 16, 16_384.0),
    # 520 + 72 = 592; links 4 + 64 x 6 = 388 to 392, and 32 x 6 / 31 = 6.194; 998.194; eight are 7985.5: 8192 / 8.
    (256, "half", 32, 1_024.0),
]


@pytest.mark.parametrize(("dimension", "number", "links", "by_hand"), INDEX)
def test_index_pages_of_a_vector_are_as_worked_out(dimension: int, number: str, links: int, by_hand: float) -> None:
    assert a.index_bytes_per_vector(dimension, number, links) == pytest.approx(by_hand, rel=1e-6)


def test_a_million_vectors_of_1536_take_what_is_told_of_pgvector() -> None:
    """7.6 to 8 GB are told of such an index by everybody who made one: a page for each vector."""
    assert 1_000_000 * a.index_bytes_per_vector(1_536, "single", 16) / a.GIB == pytest.approx(7.63, rel=0.001)


def test_a_row_is_its_head_and_what_lies_beside_it() -> None:
    # Head 24, id 8, time 8, two pointers of 18 and a line pointer of 4: 80. The vector of 2056 bytes in two chunks of
    # at most 1996, each with 36 of its own: 2128. 2000 bytes of text in two: 2072. 80 + 2128 + 2072 = 4280.
    assert a.row_bytes(1_024, "half", 2_000) == 4_280


def test_a_store_of_a_million_is_as_worked_out() -> None:
    found = a.sizes([750_000, 250_000], 1_024, "half", 16, 2_000)
    # 10^6 x 2730.667 x 1.2 / 2^30 = 3.0518; three quarters of it 2.2888; rows 10^6 x 4280 x 1.2 / 2^30 = 4.7833.
    assert found.index_gib == pytest.approx(3.0518, rel=1e-4)
    assert found.largest_gib == pytest.approx(2.2888, rel=1e-4)
    assert found.table_gib == pytest.approx(4.7833, rel=1e-4)
    # 128 + 2056 + 32 x 16 = 2696 bytes each: 750,000 of them are 1.8831 GiB.
    assert found.build_gib == pytest.approx(1.8831, rel=1e-4)
    # (3.0518 + 1.8831 + 1) / 0.9 = 6.594; (4.7833 + 3.0518 + 2.2888 + 2) / 0.8 = 15.155; (16 + 2.2888) / 0.8 = 22.861.
    assert (found.memory_gib, found.disk_gib, found.wal_gib, found.volumes_gib) == (7, 16, 23, 39)
    assert found.shared_gib == 1
    # 31 bases of 4.7833 + 3.0518 + 2 = 9.8351, and a tenth for changes: 335.4.
    assert a.backup_gib(found, 30) == 336


def test_a_build_takes_no_more_than_its_limit() -> None:
    assert a.sizes([9_000_000], 1_024, "half", 16, 0).build_gib == a.MOST_BUILD_GIB


@pytest.mark.parametrize("number", ["half", "single"])
def test_longer_vectors_and_more_links_never_take_less(number: str) -> None:
    lengths = range(2, a.MOST_DIMENSIONS[number] + 1, 7)
    pages = [a.index_bytes_per_vector(length, number, 16) for length in lengths]
    assert pages == sorted(pages)
    linked = [a.index_bytes_per_vector(256, number, links) for links in range(4, 101)]
    assert linked == sorted(linked)


def test_the_longest_vector_of_an_index_fits_on_a_page_and_the_next_does_not() -> None:
    for number, most in a.MOST_DIMENSIONS.items():
        assert a.element_bytes(most, number) + a.POINTER <= a.USABLE
