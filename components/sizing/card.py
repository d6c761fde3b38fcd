"""What of an accelerator decides memory and speed. What no source states stays unknown, and refuses."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Row
from aifactory.components.sizing.formats import FORMATS, GIB, NATIVE, UNPACKED


class Card(Struct, frozen=True):
    """An accelerator."""

    key: str
    vendor: str
    memory_gib: float
    """0: not sourced. Vendors count in decimal GB, and some of them in more: this is the lesser reading."""
    bandwidth: float
    """Memory bandwidth. Unit: bytes per s. 0: not sourced."""
    flops: tuple[tuple[str, float], ...]
    """Dense FLOPS by format, of formats that it computes in and whose figure is sourced."""
    unknown: tuple[str, ...]
    """Fields that sizing needs and no source states."""
    domain: int
    """Accelerators that are joined by more than PCIe. 0: not sourced."""
    ref: str

    @property
    def memory_gb(self) -> float:
        """Memory as its vendor prints it."""
        return self.memory_gib * GIB / 1e9

    def computes_in(self, precision: str) -> str:
        """Format in which weights of a precision are computed here; empty when there is none."""
        known = dict(self.flops)
        if NATIVE[precision] in known:
            return NATIVE[precision]
        return "bf16" if "bf16" in known and precision in UNPACKED.get(self.vendor, ()) else ""


def card(row: Row) -> Card:
    """The card of a row of the table `accelerators`."""
    memory, bandwidth = row.number_or_zero("memory_gb"), row.number_or_zero("memory_bandwidth_tbps")
    flops = tuple((name, value * 1e12) for name in FORMATS if (value := row.number_or_zero(f"dense_tflops.{name}")))
    domain = row.number_or_zero("interconnect.scale_up_domain")
    needed = (
        ("memory_gb", memory),
        ("memory_bandwidth_tbps", bandwidth),
        ("dense_tflops.bf16", flops),
        ("interconnect.scale_up_domain", domain),
    )
    return Card(
        key=row.key,
        vendor=str(row.data.get("vendor", "")),
        memory_gib=memory * 1e9 / GIB,
        bandwidth=bandwidth * 1e12,
        flops=flops,
        unknown=tuple(name for name, value in needed if not value),
        domain=int(domain),
        ref=row.ref,
    )
