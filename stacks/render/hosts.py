"""Files for hosts outside the cluster's reach: a folder for each set of hosts, and the order to go in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from msgspec import Struct

from aifactory.components.rows import HostRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.markdown import code, page, plain, shell, table
from aifactory.stacks.render.yaml import dump

_TEMPLATE = Path(__file__).parent / "templates" / "install.sh"
_FOOT = """
printf '%s\\n' "$changed of {count} files changed"
[ -z "$commands" ] || printf 'Then run:\\n%s' "$commands"
[ "$reboot" -eq 0 ] || printf '%s\\n' 'This host needs a reboot. Drain it first if it runs jobs.'
"""
_AFTER = {
    "/etc/systemd/system/": "systemctl daemon-reload",
    "/etc/systemd/network/": "udevadm control --reload",
    "/etc/sysctl.d/": "sysctl --system",
    "/etc/modules-load.d/": "systemctl restart systemd-modules-load",
    "/etc/tmpfiles.d/": "systemd-tmpfiles --create",
    "/etc/udev/rules.d/": "udevadm control --reload",
}
"""What makes the system read a file, by the folder it lies in. Whatever else a file needs, its reason says."""
_NOT_PORTABLE = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*%]')


class HostSet(Struct, frozen=True):
    """Hosts that get the same files."""

    name: str
    hosts: tuple[str, ...]
    rows: tuple[HostRow, ...]
    """By path."""

    @property
    def files(self) -> list[HostRow]:
        """What lies on the hosts."""
        return [row for row in self.rows if row.path.startswith("/")]

    @property
    def documents(self) -> list[HostRow]:
        """What an administrator applies through another tool, as on Talos and OpenShift."""
        return [row for row in self.rows if not row.path.startswith("/")]


def host_sets(stack: Stack) -> list[HostSet]:
    """The sets, in order of their first hosts."""
    found: dict[tuple[str, ...], list[HostRow]] = {}
    for row in stack.host_rows:
        found.setdefault(row.hosts, []).append(row)
    return [
        HostSet(f"set-{number:02d}", hosts, tuple(sorted(rows, key=lambda row: row.path)))
        for number, (hosts, rows) in enumerate(sorted(found.items()), start=1)
    ]


def host_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `hosts/`."""
    sets = host_sets(stack)
    if not sets:
        return
    for each in sets:
        folder = f"hosts/{each.name}"
        yield f"{folder}/hosts.txt", "".join(f"{host}\n" for host in each.hosts)
        for row in each.rows:
            yield f"{folder}/{stored(row)}", row.content
        if each.files:
            yield f"{folder}/install.sh", _install(each)
    yield "hosts/index.yaml", dump({"sets": [_entry(each) for each in sets]})
    yield "hosts/README.md", _readme(stack, sets)


def after(row: HostRow) -> str:
    """The command that makes the system read a file, empty where there is none."""
    return next((command for folder, command in _AFTER.items() if row.path.startswith(folder)), "")


def stored(row: HostRow) -> str:
    """Where a file lies inside its set's folder. Characters that not every disk takes are written as %xx."""
    path = _NOT_PORTABLE.sub(lambda found: f"%{ord(found[0]):02x}", row.path)
    return f"files{path}" if path.startswith("/") else path


def _install(each: HostSet) -> str:
    lines = [
        " ".join(
            ["put", *map(quote, [stored(row), row.path, str(int(row.reboot)), after(row), " ".join(row.why.split())])]
        )
        for row in each.files
    ]
    return _TEMPLATE.read_text(encoding="utf-8") + "\n".join(lines) + _FOOT.format(count=len(lines))


def _entry(each: HostSet) -> dict[str, object]:
    files = [
        {"path": row.path, "stored": stored(row), "part": row.part, "why": row.why, "reboot": row.reboot}
        for row in each.rows
    ]
    return {"folder": f"hosts/{each.name}", "hosts": list(each.hosts), "files": files}


def _readme(stack: Stack, sets: Sequence[HostSet]) -> str:
    return page(
        [
            [f"# Hosts of {stack.name}"],
            [
                "Files that the nodes need before drivers are installed. Nothing inside the cluster may write them.",
                "Put them there with your own configuration management, or as below. `index.yaml` says the same to",
                "programs.",
            ],
            *(section for each in sets for section in _set(each)),
            ["## Order", "", _ORDER],
            _domains(stack, sets),
            _host_steps(stack),
        ]
    )


_ORDER = (
    "One failure domain at a time, from top to bottom: a mistake then costs one rack. Go on when every host of it "
    "is Ready again and offers what it offered before."
)


def _set(each: HostSet) -> Iterator[list[str]]:
    yield [f"## {each.name}: {len(each.hosts)} hosts", "", f"Listed in `{each.name}/hosts.txt`."]
    yield table(
        ["file", "why, and what to do after a change", "command", "reboot", "part"],
        [
            (code(row.path), plain(row.why), code(after(row)), "yes" if row.reboot else "", code(row.part))
            for row in each.rows
        ],
    )
    if each.files:
        copy = f"tar -C {each.name} -cf - files install.sh"
        run = "'d=$(mktemp -d) && tar -C $d -xf - && bash $d/install.sh; rm -rf $d'"
        yield shell(f'{copy} | ssh root@"$host" {run}')
    if each.documents:
        yield ["Not files of the hosts but documents: apply them as the table says."]


def _domains(stack: Stack, sets: Sequence[HostSet]) -> list[str]:
    wanted = {host: each.name for each in sets for host in each.hosts}
    rows: list[tuple[str, str, str, str]] = []
    racks = sorted(
        ((rack.block, rack.rack, rack.nodes) for group in stack.plan.place.nodes for rack in group.racks),
        key=lambda found: found[:2],
    )
    for block, rack, nodes in racks:
        hosts = [node for node in nodes if node in wanted]
        if hosts:
            which = ", ".join(sorted({wanted[host] for host in hosts}))
            rows.append((code(block), code(rack), code(" ".join(hosts)), which))
    return table(["block", "rack", "hosts", "set"], rows)


def _host_steps(stack: Stack) -> list[str]:
    kube = f"kubectl --context {quote(stack.plan.place.cluster.kubeconfig.context)}"
    return [
        "Each host, if it is a node already:",
        "",
        *shell(
            f'{kube} drain "$host" --ignore-daemonsets --delete-emptydir-data --timeout=30m',
            "# put the files there, do what install.sh says, reboot if it says so",
            f'{kube} wait --for=condition=Ready "node/$host" --timeout=30m',
            f'{kube} uncordon "$host"',
        ),
        "",
        "To go back: remove the file, or put the former one there, and do the same again. No file is changed in place",
        "that a distribution owns.",
    ]
