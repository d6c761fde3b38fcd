"""Settings of switches: a file each, in the form that its operating system reads, and how to bring them there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from aifactory.components.rows import SwitchRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.markdown import code, page, plain, shell, table

_ENDINGS = {"cumulus": "yaml", "sonic": "json", "eos": "cfg", "nxos": "cfg"}

_STEPS: dict[str, tuple[str, ...]] = {
    "cumulus": (
        "nv config patch FILE",
        "nv config diff",
        "nv config apply --confirm 10m   # comes back by itself unless `nv config confirm` follows",
        "nv config save",
    ),
    "sonic": (
        "sudo config checkpoint before-aifactory",
        "sudo config load FILE",
        "sudo config save   # or, to go back: sudo config rollback before-aifactory",
    ),
    "eos": (
        "configure session aifactory",
        "copy file:FILE session-config",
        "show session-config diffs",
        "commit timer 00:10:00   # comes back by itself unless `configure session aifactory commit` follows",
        "write memory",
    ),
    "nxos": (
        "checkpoint before-aifactory",
        "copy bootflash:FILE running-config",
        "show diff rollback-patch checkpoint before-aifactory running-config",
        "copy running-config startup-config   # or, to go back: rollback running-config checkpoint before-aifactory",
    ),
}
"""How each system compares, applies and goes back. Sources: NVIDIA Cumulus Linux NVUE CLI guide; SONiC command
reference; Arista EOS "Configure Session"; Cisco NX-OS "Configuring Rollback"."""


def switch_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `switches/`."""
    rows = list(stack.switch_rows)
    if not rows:
        return
    paths = _paths(rows)
    for row in rows:
        yield f"switches/{paths[row.id]}", row.content
    yield "switches/README.md", _readme(stack, rows, paths)


def _paths(rows: Sequence[SwitchRow]) -> dict[str, str]:
    """The file of each row: the switch, with the part where several have settings for it."""
    counts = Counter(row.switch for row in rows)
    return {
        row.id: f"{row.switch}{'' if counts[row.switch] == 1 else f'.{row.part}'}.{_ENDINGS[row.system]}"
        for row in rows
    }


def _readme(stack: Stack, rows: Sequence[SwitchRow], paths: dict[str, str]) -> str:
    systems = sorted({row.system for row in rows})
    return page(
        [
            [f"# Switches of {stack.name}"],
            [
                "What the hosts rely on at the ports that face them. Nothing here is applied for you. Compare first:",
                "where a switch differs, its own administrators know why. A wrong MTU, priority or DSCP shows as slow",
                "collectives, hardly ever as an error.",
            ],
            ["## Order", "", _ORDER],
            table(
                ["block", "switch", "rails", "file", "why"],
                sorted(_line(stack, row, paths[row.id]) for row in rows),
            ),
            *(
                [f"## On {system}", "", "`FILE` is the switch's file of the table.", "", *shell(*_STEPS[system])]
                for system in systems
            ),
        ]
    )


_ORDER = (
    "One switch at a time, block by block, before the hosts that it faces carry jobs. With rails, a leaf that is down "
    "takes its rails from every job of the block. Check a pair of hosts with `ib_write_bw` before the next switch."
)


def _line(stack: Stack, row: SwitchRow, path: str) -> tuple[str, str, str, str, str]:
    roce = stack.plan.place.network.roce
    leafs = roce.switches.leafs if roce else []
    leaf = next((leaf for leaf in leafs if leaf.switch == row.switch), None)
    block = code(leaf.block) if leaf else ""
    rails = ", ".join(map(str, leaf.rails)) if leaf else ""
    return block, code(row.switch), rails, code(path), plain(row.why)
