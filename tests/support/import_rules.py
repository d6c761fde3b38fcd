"""Who may import what: the rooms' direction, the parts' isolation, and where engines and clocks are allowed.

Each rule is a function of a module that names its breaches; `breaches` runs them all.
"""

import sys
from collections.abc import Iterator
from fnmatch import fnmatch

from support.source_tree import ROOMS, Import, Module, SourceTree

MAY_IMPORT = {
    "cli": {"cli", "stacks", "blueprints", "components", "policies"},
    "stacks": {"stacks", "blueprints", "components"},
    "blueprints": {"blueprints", "components"},
    "components": {"components"},
    "policies": {"policies"},
}
"""Rooms that each room may import."""

THIRD_PARTY = {"click", "msgspec", "pydantic", "pydantic_core", "yaml"}
"""What the dependencies of the project bring, besides Pulumi: a tool of ours for tests must not slip in."""

ENGINES = ("pulumi", "pulumi_*", "google")
"""Modules of Pulumi, of providers and of the wire between them."""
CLIENTS = ("kubernetes", "urllib3")
"""Modules that speak with a cluster."""
CLIENT_FILE = "stacks/live/connection.py"
ACCOUNTS = ("boto3", "botocore")
"""Modules that speak with an account of AWS."""
ACCOUNT_FILE = "stacks/live/account.py"
DRAWING = ("matplotlib",)
"""Modules of the extra that draws charts."""
DRAWING_FILE = "stacks/estimate/charts.py"
LIVE = "aifactory.stacks.live"
"""What looks at real clusters: for the command line alone."""
ENGINE_FOLDERS = ("stacks/program/*", "policies/packs/*")

IMPURE = {
    *("asyncio", "getpass", "http", "multiprocessing", "random", "requests", "secrets", "select", "socket"),
    *("ssl", "subprocess", "threading", "time", "urllib.request", "uuid"),
}
"""Modules of clocks, chance, networks and processes: load, plan and shape do without."""
IMPURE_ALLOWED = {
    "stacks/program/*": "deploys, through the engine",
    "stacks/render/output_lock.py": "waits for another run to finish writing",
}

SHARED_BY_PARTS = ("catalog", "economics", "sizing")
"""Folders of components that every part may import."""


def breaches(tree: SourceTree) -> list[str]:
    """Every import that breaks a rule."""
    rules = (direction, isolation, engines, clients, accounts, live, drawing, impure, undeclared)
    parts = set(tree.parts())
    modules = list(tree.modules(*ROOMS))
    return [
        f"{module.path}:{one.line}: {says}"
        for module in modules
        for one in module.imports
        for rule in rules
        for says in rule(module, one, parts)
    ]


def direction(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """cli → stacks → blueprints → components, and cli → policies; all absolute."""
    if one.level:
        yield "a relative import; write aifactory.<room>…"
    room = room_of(one)
    if room and room not in MAY_IMPORT[module.room]:
        yield f"{module.room} imports {room}; it may import {', '.join(sorted(MAY_IMPORT[module.room]))}"


def isolation(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """A part imports itself and what all parts share; the parts table alone imports parts."""
    target = folder_of(one)
    own = module.path.parts[1] if module.room == "components" else ""
    if module.room != "components" or target == own:
        return
    if target in parts and own in parts:
        yield f"the part {own} imports the part {target}; parts meet through offers and capabilities"
    elif target in parts and own != "parts.py":
        yield f"imports the part {target}; only components/parts.py may"
    elif own in parts and target == "parts":
        yield f"the part {own} imports the parts table"


def engines(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """Pulumi and provider SDKs are for the last hop."""
    if is_engine(one) and not any(fnmatch(module.path.as_posix(), folder) for folder in ENGINE_FOLDERS):
        yield f"imports {one.module}; only {' and '.join(ENGINE_FOLDERS)} may"


def clients(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """One file speaks with clusters."""
    if one.module.split(".")[0] in CLIENTS and module.path.as_posix() != CLIENT_FILE:
        yield f"imports {one.module}; only {CLIENT_FILE} may"


def accounts(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """One file speaks with accounts of AWS."""
    if one.module.split(".")[0] in ACCOUNTS and module.path.as_posix() != ACCOUNT_FILE:
        yield f"imports {one.module}; only {ACCOUNT_FILE} may"


def drawing(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """One file draws, and it is imported by whoever asks for charts alone: the library is an extra."""
    if one.module.split(".")[0] in DRAWING and module.path.as_posix() != DRAWING_FILE:
        yield f"imports {one.module}; only {DRAWING_FILE} may"


def live(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """What is planned, written and registered never depends on what a cluster holds."""
    inside = module.path.as_posix().startswith("stacks/live/")
    if f"{one.module}.".startswith(f"{LIVE}.") and module.room != "cli" and not inside:
        yield f"imports {one.module}; only cli may"


def impure(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """Same input, same bytes: nothing before the last hop asks a clock, a network or chance."""
    names = {one.module, one.module.rpartition(".")[0], one.module.split(".")[0]}
    allowed = any(fnmatch(module.path.as_posix(), pattern) for pattern in IMPURE_ALLOWED)
    if module.room != "cli" and names & IMPURE and not allowed:
        yield f"imports {one.module}, in a room that has no clock, chance, network or process"


def undeclared(module: Module, one: Import, parts: set[str]) -> Iterator[str]:
    """A user has what the project depends on: no tests, no tools, no rooms by their bare names."""
    top = one.module.split(".")[0]
    known = (
        top in sys.stdlib_module_names
        or top in (*THIRD_PARTY, *CLIENTS, *ACCOUNTS, *DRAWING, "aifactory")
        or is_engine(one)
    )
    if not known and not one.level:
        yield f"imports {top}, which the project does not depend on"


def room_of(one: Import) -> str:
    """The room that an import reaches into; empty when none."""
    steps = one.module.split(".")
    return steps[1] if steps[0] == "aifactory" and len(steps) > 1 and steps[1] in ROOMS else ""


def folder_of(one: Import) -> str:
    """The folder or module of components that an import reaches into; empty when none."""
    steps = one.module.split(".")
    return steps[2] if steps[:2] == ["aifactory", "components"] and len(steps) > 2 else ""


def is_engine(one: Import) -> bool:
    """Whether an import is of Pulumi, a provider or their wire."""
    return any(fnmatch(one.module.split(".")[0], pattern) for pattern in ENGINES)
