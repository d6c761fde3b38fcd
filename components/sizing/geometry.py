"""What of a model decides memory and speed: layers, heads, experts, and what it keeps for each token."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row


class Geometry(Struct, frozen=True):
    """A model, in parameters and elements."""

    model: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    """0 for MLA, which keeps one latent vector for all heads."""
    head_dim: int
    vocab: int
    experts: int
    experts_per_token: int
    expert_params: float
    params: float
    active_params: float
    """Parameters that one token passes."""
    kv_elements: int
    """Elements that each token of the context adds for good."""
    window_elements: int
    """Elements of layers that keep a window alone, for each token inside it."""
    window: int
    """Tokens of that window, 0 without such layers."""
    latent: bool
    """Whether keys and values are one latent vector (MLA), which each tensor rank holds whole."""
    intermediate: int
    """Width of the dense MLP, 0 where it is not sourced."""
    tied: bool
    """Whether input and output embedding are one matrix."""
    max_position: int
    """Longest context. Unit: tokens. 0: not sourced."""
    ref: str = ""
    """Catalog row."""
    dimension: int = 0
    """Numbers of the vector that it makes of a text; 0: it writes text."""
    least_dimension: int = 0
    """Shortest beginning of the vector that was trained to be used alone."""
    encoder: bool = False
    """Whether each token sees all others, and nothing is kept once the text is read."""
    positions: int = 0
    """Rows of a learned position table, 0 without one."""

    @property
    def embeddings(self) -> float:
        """Parameters of input and output embedding together."""
        return float(self.vocab * self.hidden) * (1 if self.tied else 2)

    @property
    def looked_up(self) -> float:
        """Parameters of an input embedding of its own: a step reads single rows of it."""
        return 0.0 if self.tied else float(self.vocab * self.hidden)

    @property
    def passed_params(self) -> float:
        """Parameters that each token of a text passes on its way to a vector: of tables single rows are read."""
        return self.active_params - float((self.vocab + self.positions) * self.hidden)

    @property
    def attention_params(self) -> float:
        """Parameters of the attention projections, of models without latent vectors."""
        width = self.heads * self.head_dim
        kv_width = self.kv_heads * self.head_dim
        return float(self.layers * self.hidden * (2 * width + 2 * kv_width))

    def kept(self, tokens: float) -> float:
        """Elements that a sequence of so many tokens keeps."""
        inside = min(tokens, self.window) if self.window else tokens
        return self.kv_elements * tokens + self.window_elements * inside

    def touched_experts(self, sequences: float) -> float:
        """Parameters of experts that a step of so many sequences reads: each token chooses its own."""
        if not self.experts:
            return 0.0
        missed: float = (1 - self.experts_per_token / self.experts) ** sequences
        return self.expert_params * (1 - missed)


def geometry(row: Row) -> Geometry:
    """The geometry of a row of the table `models`. Raises UnknownFact for a row that lacks what every model has."""
    billion = 1e9
    params = row.number("params_b") * billion
    return Geometry(
        model=row.key,
        layers=row.count("layers"),
        hidden=row.count("hidden"),
        heads=row.count("heads"),
        kv_heads=_count(row, "kv_heads"),
        head_dim=_count(row, "head_dim") or HEAD_OF_LATENT,
        vocab=row.count("vocab"),
        experts=_count(row, "experts"),
        experts_per_token=_count(row, "experts_per_token"),
        expert_params=row.number_or_zero("expert_params_b") * billion,
        params=params,
        active_params=row.number_or_zero("active_params_b") * billion or params,
        kv_elements=row.count("kv_elems_per_token"),
        window_elements=_count(row, "kv_swa_elems_per_token"),
        window=_count(row, "swa_window"),
        intermediate=_count(row, "intermediate"),
        tied=row.value("tied_embeddings") is True,
        latent=_count(row, "kv_lora_rank") > 0,
        max_position=_count(row, "max_position"),
        ref=row.ref,
        dimension=_count(row, "dimension"),
        least_dimension=_count(row, "least_dimension"),
        encoder=row.value("attention") == "encoder",
        positions=_count(row, "positions"),
    )


def geometry_of(weights: Row, catalog: Catalog) -> Geometry:
    """The geometry of published weights, a row of the table `weights`."""
    table = "models.embedding" if weights.value("embeds") is True else "models"
    return geometry(catalog.row(table, weights.text("geometry")))


HEAD_OF_LATENT = 128
"""Width of a head of DeepSeek's attention without its position part. Source: DeepSeek-V2 paper, section 2.1."""


def _count(row: Row, field: str) -> int:
    value = row.value(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
