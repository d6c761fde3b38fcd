"""Tools of the proving ground: taken from PATH in the right version, else built from Go modules and cached.

`python -m support.proving.tools` makes what is missing; that is `make engine`. Each tool has a module of its own below
`tests/engine/tools`, whose go.sum pins all that it is built from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

MODULES = Path(__file__).parents[2] / "engine" / "tools"
GO_MINOR = 26
KUBERNETES = "1.36.3"
PULUMI = "3.255.0"


class Tool(Struct, frozen=True):
    """Binaries of one Go module."""

    name: str
    """Folder of its module."""
    version: str
    binaries: tuple[str, ...]
    builds: tuple[str, ...] = ("tool",)
    """Packages; `tool` is all that the module names as tools."""
    stamps: tuple[tuple[str, str], ...] = ()
    """Variables that hold the version: clients refuse servers that have none."""
    tags: str = ""
    asks: tuple[str, ...] = ()
    """Words that make a binary print its version; none where it can't, so that PATH isn't looked at."""
    named: tuple[tuple[str, str], ...] = ()
    """Binaries that the build names otherwise: built name, name."""


_MAJOR, _MINOR, _ = KUBERNETES.split(".")
_OF_KUBERNETES = tuple(
    (f"{package}.{field}", value)
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for field, value in (("gitVersion", f"v{KUBERNETES}"), ("gitMajor", _MAJOR), ("gitMinor", _MINOR))
)
TOOLS = (
    Tool("etcd", "3.7.3", ("etcd",), ("go.etcd.io/etcd/server/v3",), asks=("--version",), named=(("server", "etcd"),)),
    Tool(
        "pulumi",
        PULUMI,
        ("pulumi",),
        stamps=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", f"v{PULUMI}"),),
        tags="osusergo,grpcnotrace",
        asks=("version",),
    ),
    Tool(
        "kubernetes",
        KUBERNETES,
        ("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
        stamps=_OF_KUBERNETES,
        asks=("--version",),
    ),
    Tool("kubectl", KUBERNETES, ("kubectl",), stamps=_OF_KUBERNETES, asks=("version", "--client")),
    Tool("kwok", "0.8.0", ("kwok",), stamps=(("sigs.k8s.io/kwok/pkg/consts.Version", "v0.8.0"),), asks=("--version",)),
    Tool(
        "helm",
        "4.3.1",
        ("helm",),
        stamps=(("helm.sh/helm/v4/internal/version.version", "v4.3.1"),),
        asks=("version", "--short"),
    ),
    Tool("kueue", "0.19.2", ("kueue",)),
    Tool("jobset", "0.12.0", ("jobset",)),
    # Prometheus 3.14.0, as a Go module.
    Tool("promtool", "0.314.0", ("promtool",), stamps=(("github.com/prometheus/common/version.Version", "3.14.0"),)),
    Tool("otelcol", "0.158.0", ("otelcol",), (".",)),
    Tool("gatekeeper", "3.23.1", ("gatekeeper", "gator"), named=(("v3", "gatekeeper"),)),
    Tool(
        "opa",
        "1.22.0",
        ("opa",),
        stamps=(("github.com/open-policy-agent/opa/version.Version", "1.22.0"),),
        asks=("version",),
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


class Missing(Exception):
    """A tool that is neither there nor can be made. Says what to install."""


def cache() -> Path:
    """Where built tools lie: below the user's cache, or where AIFACTORY_TOOLS says."""
    given = os.environ.get("AIFACTORY_TOOLS")
    return Path(given) if given else Path.home() / ".cache" / "aifactory-tools"


def compiled() -> Path:
    """Go's build cache of these tools alone. Gigabytes that nothing reads once all are made: `main` removes it then."""
    return cache() / "go-build"


def folder_of(tool: Tool) -> Path:
    """Folder of a tool's binaries, named by its version and all that it is built from."""
    pinned = b"".join((MODULES / tool.name / name).read_bytes() for name in ("go.mod", "go.sum"))
    digest = sha256(pinned + repr(tool).encode()).hexdigest()[:12]
    return cache() / f"{tool.name}-{tool.version}-{digest}"


def found(tool: Tool) -> dict[str, Path] | None:
    """Binaries by name: those on PATH if all have the version, else the built ones; None if there are none."""
    on_path = {name: Path(path) for name in tool.binaries if (path := shutil.which(name))}
    if len(on_path) == len(tool.binaries) and all(tool.version in _says(tool, path) for path in on_path.values()):
        return on_path
    built = {name: folder_of(tool) / name for name in tool.binaries}
    return built if all(path.is_file() for path in built.values()) else None


def _says(tool: Tool, binary: Path) -> str:
    if not tool.asks:
        return ""
    ran = subprocess.run([binary, *tool.asks], capture_output=True, text=True, check=False, timeout=60)
    return ran.stdout + ran.stderr


def make(tool: Tool) -> dict[str, Path]:
    """Build a tool. Raises Missing without Go, or if the build fails."""
    go = shutil.which("go")
    if go is None:
        raise Missing(f"install Go 1.{GO_MINOR} or newer, or put {', '.join(tool.binaries)} {tool.version} on PATH")
    target = folder_of(tool)
    work = target.with_suffix(f".{os.getpid()}")
    work.mkdir(parents=True)
    flags = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in tool.stamps)])
    # Whose checkout this is is no matter of a tool, and git refuses to say it of a stranger's.
    words = [
        go,
        "build",
        "-trimpath",
        "-buildvcs=false",
        f"-tags={tool.tags}",
        f"-ldflags={flags}",
        f"-o={work}/",
        *tool.builds,
    ]
    own = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOCACHE": str(compiled())}
    environment = {**os.environ, **own}
    ran = subprocess.run(words, cwd=MODULES / tool.name, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        shutil.rmtree(work)
        raise Missing(f"{tool.name} {tool.version} doesn't build: {ran.stderr.strip()[-400:]}")
    for built, name in tool.named:
        if (work / built).is_file():
            (work / built).rename(work / name)
    if not target.exists():
        work.rename(target)
    return {name: target / name for name in tool.binaries}


def missing(tools: Iterable[Tool] = TOOLS) -> Iterator[Tool]:
    """Tools that aren't there."""
    return (tool for tool in tools if found(tool) is None)


def paths(*names: str) -> dict[str, Path]:
    """Binaries of some tools. Raises Missing, with the one line that says what to do."""
    here: dict[str, Path] = {}
    for name in names:
        binaries = found(BY_NAME[name])
        if binaries is None:
            raise Missing(f"no {name} {BY_NAME[name].version}: run `make engine`, which needs Go 1.{GO_MINOR}")
        here.update(binaries)
    return here


def main() -> int:
    """Make what is missing, and tell how long each took."""
    for tool in TOOLS:
        began = time.monotonic()
        if found(tool) is not None:
            sys.stdout.write(f"{tool.name:<12} {tool.version:<8} there\n")
            continue
        try:
            make(tool)
        except Missing as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{tool.name:<12} {tool.version:<8} built in {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    shutil.rmtree(compiled(), ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
