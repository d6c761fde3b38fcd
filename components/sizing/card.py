"""What of an accelerator decides memory and speed. What no source states stays unknown, and refuses."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Row

GIB = 2**30
FORMATS = ("bf16", "fp8", "fp4")
COMPUTES = {"bf16": ("bf16",), "fp8": ("fp8", "bf16"), "fp4": ("fp4", "bf16"), "mxfp4": ("fp4", "bf16")}
"""Formats that a precision is computed in, the native one first. Without it weights are unpacked to 16 bits."""

RACK_DOMAIN = 16
"""GPUs in one NVLink domain above which no measurement of the speed model exists."""


class Card(Struct, frozen=True):
    """An accelerator."""

    key: str
    vendor: str
    memory_gib: float
    """0: not sourced. Vendors count in decimal GB."""
    bandwidth: float
    """Memory bandwidth. Unit: bytes per s. 0: not sourced."""
    flops: tuple[tuple[str, float], ...]
    """Dense FLOPS by format, of formats that it computes in and whose figure is sourced."""
    unknown: tuple[str, ...]
    """Fields that sizing needs and no source states."""
    domain: int
    """Accelerators that are joined at full speed."""
    ref: str

    def computes_in(self, precision: str) -> str:
        """Format in which weights of a precision are computed here; empty when there is none."""
        known = dict(self.flops)
        return next((name for name in COMPUTES[precision] if name in known), "")


def card(row: Row) -> Card:
    """The card of a row of the table `accelerators`."""
    memory, bandwidth = row.number_or_zero("memory_gb"), row.number_or_zero("memory_bandwidth_tbps")
    flops = tuple((name, value * 1e12) for name in FORMATS if (value := row.number_or_zero(f"dense_tflops.{name}")))
    missing = [
        name
        for name, value in (("memory_gb", memory), ("memory_bandwidth_tbps", bandwidth), ("dense_tflops.bf16", flops))
        if not value
    ]
    domain = row.number_or_zero("interconnect.scale_up_domain")
    return Card(
        key=row.key,
        vendor=str(row.data.get("vendor", "")),
        memory_gib=memory * 1e9 / GIB,
        bandwidth=bandwidth * 1e12,
        flops=flops,
        unknown=tuple(missing),
        domain=int(domain) or 1,
        ref=row.ref,
    )
