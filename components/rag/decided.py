"""A vector store as decided: plain data, nothing left unset."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.rag.arithmetic import Sizes

Pairs = tuple[tuple[str, str], ...]
POSTGRES_PORT, STATUS_PORT = 5_432, 8_000
"""Ports of an instance: SQL, and what the operator asks. Source: cloudnative-pg pkg/management/url."""


class CollectionPlan(Struct, frozen=True):
    """Vectors of one tenant."""

    tenant: str
    namespace: str
    """Namespace whose pods use it."""
    role: str
    """Role and database of PostgreSQL, or the collection of Milvus: no other tenant has it."""
    vectors: int
    password: str
    """Secret with the role's password, empty where the site gives the engine."""
    index_gib: float


class BackupPlan(Struct, frozen=True):
    """Where backups go."""

    bucket: str
    """Name of the bucket, and of the claim, its Secret and its ConfigMap."""
    storage_class: str
    class_row: str
    """Row of that class, empty where it is given."""
    endpoint: str
    issuer: str
    """ClusterIssuer that signs for that address, empty where it has no TLS."""
    size_gib: int
    keep_days: int
    hour: int


class DatabasePlan(Struct, frozen=True):
    """PostgreSQL with pgvector, by CloudNativePG."""

    image: str
    pull_secrets: tuple[str, ...]
    instances: int
    cpus: int
    sizes: Sizes
    storage_class: str
    class_row: str
    parameters: Pairs
    access: tuple[str, ...]
    """Lines of pg_hba.conf, in order."""
    backup: BackupPlan | None


class RagPlan(Struct, frozen=True):
    """A vector store, with nothing left unset."""

    identity: str
    namespace: str
    engine: str
    address: str
    """Host and port that clients ask."""
    model: str
    """Model that makes the vectors."""
    dimension: int
    number: str
    links: int
    data_class: str
    collections: tuple[CollectionPlan, ...]
    database: DatabasePlan | None
    """None where the site gives the engine."""

    @property
    def vectors(self) -> int:
        """All vectors."""
        return sum(each.vectors for each in self.collections)

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        many = f"{self.vectors:,} vectors of {self.dimension} in {counted(len(self.collections), 'collection')}"
        if self.database is None:
            return f"{many} on the site's {self.engine} at {self.address}"
        found, copies = self.database.sizes, counted(self.database.instances, "instance")
        return (
            f"{many} on {self.engine}: {copies} of {found.memory_gib} GiB memory and {found.volumes_gib} GiB of volumes"
        )
