"""What the plan of a vector store must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_PGVECTOR = "pgvector README, HNSW and Scaling"
_CNPG = "CloudNativePG documentation 1.30"

RULES: tuple[Rule, ...] = (
    Rule(
        "RAG-001",
        "error",
        "The engine holds as many vectors",
        "An index that outgrows the memory of one node answers from disk, ten to a hundred times slower.",
        f"{_PGVECTOR}; docs/decisions/0022-rag.md",
    ),
    Rule(
        "RAG-002",
        "error",
        "Vectors are made by an embedding model of the site",
        "Vectors of two models can't be compared: questions would find anything.",
        "vLLM documentation, Pooling Models",
    ),
    Rule(
        "RAG-003",
        "error",
        "An index takes vectors of this length",
        "A vector lies on one page; a beginning of it means something only where the model was trained for that.",
        f"{_PGVECTOR}; Kusupati et al., Matryoshka Representation Learning",
    ),
    Rule(
        "RAG-004",
        "error",
        "A database lies on volumes that outlive a node",
        "What dies with a node is copied over the network again whenever one is drained.",
        f"{_CNPG}, Storage",
    ),
    Rule(
        "RAG-005",
        "error",
        "The volumes of all instances fit on the tier",
        "A full volume stops the database, and a full tier all that lies on it.",
        f"{_CNPG}, Storage, WAL storage",
    ),
    Rule(
        "RAG-006",
        "error",
        "The index fits in the memory of a node",
        "Each search jumps over hundreds of pages: each that isn't in memory is a read.",
        _PGVECTOR,
    ),
    Rule(
        "RAG-007",
        "error",
        "Each instance has a node of its own",
        "Two instances on one node fall together.",
        f"{_CNPG}, Scheduling",
    ),
    Rule(
        "RAG-008",
        "error",
        "Vectors have the class of their documents",
        "Text can be told from its vector: an index of private notes that is public publishes them.",
        "Morris et al., Text Embeddings Reveal (Almost) As Much As Text, EMNLP 2023",
    ),
    Rule(
        "RAG-009",
        "error",
        "A tier with vectors keeps their class",
        "Place, key and copies of a tier are judged by the class that it states.",
        "Regulation (EU) 2016/679, articles 44 to 49",
    ),
    Rule(
        "RAG-010",
        "warning",
        "Backups lie in another system than the database",
        "A backup beside what it should replace is lost with it.",
        "NIST SP 800-209, Security Guidelines for Storage Infrastructure, backups",
    ),
    Rule(
        "RAG-011",
        "warning",
        "There are backups",
        "Without them documents are read and embedded again, and what was added by hand is gone.",
        f"{_CNPG}, Backup",
    ),
    Rule(
        "RAG-012",
        "error",
        "Each collection is a tenant's",
        "A collection that several read needs a filter in each query, and one that is forgotten shows all.",
        "OWASP Top 10 for LLM applications 2025, LLM08 Vector and Embedding Weaknesses",
    ),
    Rule(
        "RAG-013",
        "error",
        "Backups fit in the buckets",
        "A bucket that is full stops the log, which then fills the volume of the database.",
        f"{_CNPG}, WAL archiving",
    ),
    Rule(
        "RAG-014",
        "warning",
        "Vectors of a class are encrypted at rest",
        "Drives leave the building when they fail.",
        "NIST SP 800-111, Guide to Storage Encryption Technologies",
    ),
)
