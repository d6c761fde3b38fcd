"""What a person writes about a vector store: whose vectors, how many, where they lie and where copies go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.demand import DataClass
from aifactory.components.forms import ImageText, SecretName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice

Vectors = Annotated[int, Field(ge=1, le=100_000_000_000)]
"""A number of vectors: one for each chunk of a document."""


class CollectionSpec(Spec):
    """Vectors of one tenant, which no other tenant reads."""

    tenant: Name
    """Tenant of a queue. Pods of its namespace reach its collection, and no other."""

    vectors: Vectors
    """Vectors that it holds once all its documents are read, with their growth. Memory and disk follow from it."""

    password: SecretName | None = None
    """Existing Secret of type kubernetes.io/basic-auth in the namespace of the store: `username` and `password` of the
    tenant's role. Default: PART-TENANT."""


class BackupSpec(Spec):
    """Backups of the database into buckets: a base each day, and each change since."""

    tier: Name
    """Storage tier with buckets."""

    hour: int = Field(default=1, ge=0, le=23)
    """Hour of the day at which a base is written. Unit: hours of UTC. Default 1: few ask at night."""

    keep_days: int = Field(default=30, ge=1, le=3_650)
    """Days that one can go back to. Unit: days. Default 30: a mistake is seen within a month."""


class RagSpec(PartSpec):
    """A vector store for documents: an engine, a collection a tenant, its memory, its disk and its backups."""

    kind: Literal["rag"]
    """A vector store."""

    embedder: Name
    """Serving part whose model makes the vectors. Questions must be embedded by the same one."""

    engine: Literal["pgvector", "milvus"] | None = None
    """What holds and searches vectors. pgvector: PostgreSQL by CloudNativePG. milvus: one that the site gives. Default:
    pgvector below 10 million vectors, milvus from there on."""

    dimension: int | None = Field(default=None, ge=2, le=16_000)
    """Numbers of a vector that are kept. Fewer are less exact and take less memory; only models that were trained for
    it allow fewer than they make. Default: all."""

    number: Literal["half", "single"] = "half"
    """Format of each number. half: 2 bytes. single: 4 bytes. Default half: models compute in 16 bits, so the other half
    of 32 says nothing, and takes two to three times the memory."""

    links: int = Field(default=16, ge=4, le=100)
    """Links of a vector to its neighbours in the index (m of HNSW); twice as many on the lowest level. More find more
    and take more memory. Default 16: pgvector's own."""

    chunk_bytes: int = Field(default=2_000, ge=0, le=1_000_000)
    """Text that is kept beside a vector. Unit: bytes. Default 2000: 400 to 500 tokens."""

    collections: list[CollectionSpec] = Field(min_length=1, max_length=200)
    """Collections, one a tenant."""

    tier: Name | None = None
    """Storage tier for the database. Default none: a Milvus has its own; needed with pgvector."""

    instances: int = Field(default=3, ge=1, le=9)
    """Copies of the database, each on a node of its own: one is written, the others follow and take over. Default 3:
    one may fail while another is replaced."""

    cpus: int = Field(default=4, ge=1, le=256)
    """CPUs that each instance is sure to get. A search takes one for a few milliseconds. Unit: CPUs. Default 4."""

    backup: BackupSpec | None = None
    """Backups. Default none: documents must be embedded again after a loss, which takes GPUs for hours."""

    data_class: DataClass | None = None
    """Class of the documents. Text can be told from its vector, so vectors have the class of their documents. Default:
    that of the embedder's demand."""

    image: ImageText | None = None
    """Image of PostgreSQL with pgvector and Barman Cloud. Default: the catalog's."""

    pull_secrets: list[SecretName] = Field(default=[], max_length=10)
    """Existing Secrets of the namespace with registry credentials. Default none."""

    @truth
    def _a_tenant_has_one_collection(self) -> Iterator[Misfit]:
        tenants = [each.tenant for each in self.collections]
        for index in twice(tenants):
            yield Misfit(f'"{tenants[index]}" is listed twice', "give it one", ("collections", index, "tenant"))

    @truth
    def _what_belongs_to_the_database_is_not_written_for_another(self) -> Iterator[Misfit]:
        if self.engine != "milvus":
            return
        for field in ("tier", "backup", "image"):
            if getattr(self, field) is not None:
                says = f"{field} is for engine pgvector: a Milvus is the site's, with what belongs to it"
                yield Misfit(says, f"delete {field}", (field,))

    @property
    def vectors(self) -> int:
        """All vectors of all tenants."""
        return sum(each.vectors for each in self.collections)
