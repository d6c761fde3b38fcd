"""Speed of one replica: a roofline with four published constants. Sources: components/catalog/roofline.yaml."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Row
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.formats import BYTES, KV_BYTES
from aifactory.components.sizing.geometry import Geometry


class Constants(Struct, frozen=True):
    """What published measurements say of engines in general."""

    bandwidth: float
    compute: float
    per_layer_s: float
    per_sequence_s: float
    ref: str

    def floor_ms(self, layers: int) -> float:
        """Time of a step of one request on a card without bounds."""
        return (self.per_layer_s * layers + self.per_sequence_s) * 1_000


def constants(row: Row) -> Constants:
    """The constants of a row of the table `roofline`."""
    return Constants(
        bandwidth=row.number("bandwidth_efficiency"),
        compute=row.number("compute_efficiency"),
        per_layer_s=row.number("per_layer_per_step_ms") / 1_000,
        per_sequence_s=row.number("per_sequence_per_step_ms") / 1_000,
        ref=row.ref,
    )


class Replica(Struct, frozen=True):
    """A model on GPUs: what its speed depends on."""

    shape: Geometry
    card: Card
    precision: str
    gpus: int
    """GPUs that work on each layer together."""
    constants: Constants
    stages: int = 1
    """Groups of them in a row, each with some of the layers. A token passes all of them, one after the other."""
    kv_bytes: int = 0
    """Bytes of an element of keys and values; 0: those of measured systems."""

    @property
    def peak(self) -> float:
        """FLOPS of the GPUs of a layer that large batches reach."""
        computes = self.card.computes_in(self.precision)
        return self.gpus * dict(self.card.flops)[computes] * self.constants.compute

    @property
    def stream(self) -> float:
        """Bytes per s of the GPUs of a layer that a decode step reaches."""
        return self.gpus * self.card.bandwidth * self.constants.bandwidth

    def prefill_s(self, tokens: float, known: float = 0.0) -> float:
        """Time to read a prompt, `known` of whose tokens were computed for an earlier one."""
        shape = self.shape
        fresh = max(0.0, tokens - known)
        width = shape.heads * shape.head_dim
        # Causal attention of fresh tokens over all before them: I^2 - known^2, twice for scores and values.
        attention = 2 * shape.layers * width * (tokens**2 - known**2)
        return (2 * shape.active_params * fresh + attention) / self.peak

    def first_token_s(self, tokens: float, known: float) -> float:
        """Time to the first token of a request alone: its prompt, and one step."""
        return self.prefill_s(tokens, known) + self.step_s(1, tokens)

    def step_s(self, sequences: float, context: float) -> float:
        """Time of one decode step of so many sequences with so many tokens behind them on average."""
        shape, fixed = self.shape, self.constants
        read = self._touched_bytes(sequences) + self._kept_bytes(sequences, context)
        compute = 2 * shape.active_params * sequences / self.peak
        overhead = fixed.per_layer_s * shape.layers + fixed.per_sequence_s * sequences
        return max(read / self.stream, compute) + overhead

    def _touched_bytes(self, sequences: float) -> float:
        """Weights that a step reads. Single rows of the input embedding are nothing."""
        shape = self.shape
        dense = max(0.0, shape.params - shape.expert_params - shape.looked_up)
        width = BYTES[self.precision]
        dense_width = BYTES["bf16"] if self.precision == "mxfp4" else width
        return dense * dense_width + shape.touched_experts(sequences) * width

    def _kept_bytes(self, sequences: float, context: float) -> float:
        """Keys and values that a step reads. A latent vector lies whole on each GPU and is read there."""
        copies = self.gpus if self.shape.latent else 1
        return sequences * self.shape.kept(context) * (self.kv_bytes or KV_BYTES[self.precision]) * copies


class Speed(Struct, frozen=True):
    """A replica at one number of concurrent requests."""

    sequences: float
    """Requests that are computed at once, on average."""
    itl_s: float
    """Mean time between two tokens of a request, with prompts of the others read in between."""
    prefill_s: float
    tokens_per_s: float
    """Output tokens of the whole replica."""


def speed(replica: Replica, sequences: float, input_tokens: float, output_tokens: float, known: float = 0.0) -> Speed:
    """Throughput and latency at a steady number of concurrent requests, at least one.

    Stages work at the same time on shares of the requests, so a step holds one share, and each token waits for all
    stages. Prompts are read by all stages at once. A request that runs takes `output_tokens` steps and shares each with
    the prompts of all, its own among them; its tokens wait for the prompts of the others alone.
    """
    prefill = replica.prefill_s(input_tokens, known)
    step = replica.step_s(max(1.0, sequences / replica.stages), input_tokens + output_tokens / 2)
    one_prompt = prefill / replica.stages / output_tokens
    carried = sequences / (step + sequences * one_prompt)
    return Speed(sequences, step + (sequences - 1) * one_prompt, prefill, carried)
