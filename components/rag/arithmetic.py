"""Memory and disk of vectors in pgvector. Each formula follows how its source lays pages out.

Sources: pgvector 0.8 README (storage of vector and halfvec), src/hnsw.h (tuples of an index), src/hnswbuild.c
(CreateGraphPages: an element and its links lie on one page where both fit); PostgreSQL documentation, Database Page
Layout and TOAST.
"""

from __future__ import annotations

import math

from msgspec import Struct

PAGE = 8_192
USABLE = PAGE - 24 - 8
"""Bytes of an index page without its header and pgvector's own words at its end."""
POINTER = 4
"""A line pointer: each tuple of a page has one."""
ELEMENT_HEAD = 72
"""Before the vector of an index element: flags, ten places of rows, the place of its links."""
LINKS_HEAD = 4
LINK = 6
"""One link: block and offset."""
BYTES = {"single": 4, "half": 2}
MOST_DIMENSIONS = {"single": 2_000, "half": 4_000}
"""Numbers of a vector that an index takes: one vector lies on one page."""
TYPES = {"single": "vector", "half": "halfvec"}

ROW = 24 + 8 + 8 + 18 + 18 + POINTER
"""A row without its data: header, id, time, and two pointers to what is stored beside it."""
TOAST_CHUNK, TOAST_HEAD = 1_996, 36
DEAD = 1.2
"""Rows with the dead ones that wait for a vacuum, which starts at 20 percent. Source: PostgreSQL documentation,
autovacuum_vacuum_scale_factor."""
BASE_GIB = 2.0
"""Catalogs, roles, and files that a start needs."""
FILL = 0.8
"""Share of the volume that is filled at most: a full one stops the database."""
WAL_GIB = 8
"""max_wal_size: what PostgreSQL keeps between two checkpoints."""
IN_MEMORY = 0.9
"""Share of the memory that pages get; the rest is connections, processes and the instance manager."""
GRAPH_HEAD, GRAPH_LINK = 128, 16
"""Bytes of an element, and of a link, while an index is built in memory. Source: src/hnsw.h, HnswElementData and
HnswCandidate."""
MOST_BUILD_GIB = 8.0
"""maintenance_work_mem at most: larger builds go on in pages, slower, and each instance pays for it all the time."""
GIB = 1024**3


def _aligned(size: float) -> int:
    return math.ceil(size / 8) * 8


def vector_bytes(dimension: int, number: str) -> int:
    """One vector as it is stored."""
    return 8 + BYTES[number] * dimension


def element_bytes(dimension: int, number: str) -> int:
    """The vector in its index."""
    return _aligned(ELEMENT_HEAD + vector_bytes(dimension, number))


def links_bytes(links: int) -> float:
    """Links of a vector. It is on each further level with a chance of 1 in `links`, so on 1/(links - 1) of them."""
    return _aligned(LINKS_HEAD + 2 * links * LINK) + links * LINK / (links - 1)


def index_bytes_per_vector(dimension: int, number: str, links: int) -> float:
    """Bytes of index pages for one vector: whole pages over the vectors that fit on one."""
    each = element_bytes(dimension, number) + links_bytes(links) + 2 * POINTER
    if each > USABLE:
        return 2.0 * PAGE  # the vector fills one page, and its links begin another that no vector fits on
    return PAGE / math.floor(USABLE / each)


def row_bytes(dimension: int, number: str, chunk_bytes: int) -> float:
    """Bytes of the table for one vector with its text, both stored beside the row once it is long."""
    return ROW + _beside(vector_bytes(dimension, number)) + _beside(chunk_bytes)


def _beside(size: int) -> int:
    return size + TOAST_HEAD * math.ceil(size / TOAST_CHUNK)


def build_gib(vectors: int, dimension: int, number: str, links: int) -> float:
    """Memory in which an index of so many vectors is built at full speed."""
    return vectors * (GRAPH_HEAD + vector_bytes(dimension, number) + 2 * links * GRAPH_LINK) / GIB


class Sizes(Struct, frozen=True):
    """One instance of the database."""

    index_gib: float
    """Index pages of all collections, dead ones included."""
    largest_gib: float
    """Those of the largest collection: room that building it again takes."""
    table_gib: float
    build_gib: float
    """maintenance_work_mem."""
    memory_gib: int
    disk_gib: int
    """Volume of the data."""
    wal_gib: int
    """Volume of the log."""

    @property
    def volumes_gib(self) -> int:
        """Both volumes."""
        return self.disk_gib + self.wal_gib

    @property
    def shared_gib(self) -> int:
        """shared_buffers: a quarter of the memory, as PostgreSQL's documentation begins with; the system caches the
        rest."""
        return max(1, self.memory_gib // 4)


def sizes(collections: list[int], dimension: int, number: str, links: int, chunk_bytes: int) -> Sizes:
    """What collections of so many vectors take of one instance."""
    each = index_bytes_per_vector(dimension, number, links) * DEAD
    index, largest = sum(collections) * each / GIB, max(collections) * each / GIB
    table = sum(collections) * row_bytes(dimension, number, chunk_bytes) * DEAD / GIB
    build = min(MOST_BUILD_GIB, max(0.25, build_gib(max(collections), dimension, number, links)))
    return Sizes(
        index_gib=index,
        largest_gib=largest,
        table_gib=table,
        build_gib=build,
        memory_gib=math.ceil((index + build + 1) / IN_MEMORY),
        disk_gib=math.ceil((table + index + largest + BASE_GIB) / FILL),
        wal_gib=math.ceil((2 * WAL_GIB + largest) / FILL),
    )


def backup_gib(found: Sizes, keep_days: int) -> int:
    """Bytes in buckets: a base a day, not compressed because vectors hardly are, and a tenth of it in changes."""
    base = found.table_gib + found.index_gib + BASE_GIB
    return math.ceil((keep_days + 1) * base * 1.1)
