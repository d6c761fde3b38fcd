"""Files for machines outside the cluster's reach: hosts and switches."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.rows import HostRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.yaml import dump

_ENDINGS = {"cumulus": "yaml", "sonic": "json", "eos": "cfg", "nxos": "cfg"}


def host_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `hosts/`: one tree per set of hosts, and an index that says why and whether to reboot."""
    sets: dict[tuple[str, ...], list[HostRow]] = {}
    for row in stack.host_rows:
        sets.setdefault(row.hosts, []).append(row)
    index = []
    for number, (hosts, rows) in enumerate(sorted(sets.items()), start=1):
        folder = f"hosts/set-{number:02d}"
        yield f"{folder}/hosts.txt", "".join(f"{host}\n" for host in hosts)
        files = []
        for row in sorted(rows, key=lambda row: row.path):
            yield f"{folder}/files/{row.path.lstrip('/')}", row.content
            files.append({"path": row.path, "part": row.part, "why": row.why, "reboot": row.reboot})
        index.append({"folder": folder, "hosts": list(hosts), "files": files})
    if index:
        yield "hosts/index.yaml", dump({"sets": index})


def switch_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `switches/`: one a switch, in the form its operating system reads."""
    for row in stack.switch_rows:
        yield f"switches/{row.switch}.{_ENDINGS[row.system]}", row.content
