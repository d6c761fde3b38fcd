"""What the engine finds on PATH, and the environment of a run that touches nothing but folders of its test."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from support.proving.processes import CALM

HERE = Path(__file__).parent
LANGUAGE = "pulumi-language-python"
ANALYZER = "pulumi-analyzer-policy-python"
KUBERNETES = "pulumi-resource-kubernetes"
AWS = "pulumi-resource-aws"
STOOD_IN = (LANGUAGE, ANALYZER, KUBERNETES)
"""Plugins that have a stand-in where PATH has none. That of AWS always stands in: no test may touch an account."""
ECHO = HERE.parent / "echo_provider.py"
"""A provider without a cluster behind it."""
REAL = "support.proving.provider"
"""A provider in front of a real API server."""
CLOUD = "support.proving.aws_provider"
"""A provider whose AWS account is a folder."""
ALL = '"$@"'
_KEPT = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


def make(folder: Path, pulumi: Path, provider: Path | str = ECHO) -> Path:
    """Fill a folder for PATH: the engine, and a stand-in for each plugin that PATH hasn't got.

    `provider` is the script that stands in for the kubernetes provider where PATH has none, or the name of a module
    of these tests, which is used whatever PATH has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pulumi").symlink_to(pulumi)
    for name, words, given in _stand_ins():
        if shutil.which(name) is None:
            write(folder / name, *words, given=given)
    if isinstance(provider, str):
        write_module(folder / KUBERNETES, provider)  # its faults and its charts from a folder are part of the tests
    elif shutil.which(KUBERNETES) is None:
        write(folder / KUBERNETES, provider)
    return folder


def write_module(path: Path, module: str) -> None:
    """Write an executable that runs a module of these tests."""
    tests = HERE.parents[1]
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{tests}" exec "{sys.executable}" -m {module} {ALL}\n', encoding="utf-8")
    path.chmod(0o755)


def write(path: Path, *words: str | Path, given: str = ALL) -> None:
    """Write an executable that runs this Python with some words, and then those of its own arguments that are given."""
    quoted = " ".join(f'"{word}"' for word in (sys.executable, *words))
    path.write_text(f"#!/bin/sh\nexec {quoted} {given}\n", encoding="utf-8")
    path.chmod(0o755)


def environment(plugins: Path, home: Path, state: Path) -> dict[str, str]:
    """The environment of a run: its own home, its state in a folder, nothing fetched, nothing asked of the network.

    This Python is the first on PATH, as in an activated environment.
    """
    state.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    return {
        **CALM,
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "PATH": os.pathsep.join([str(plugins), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "PULUMI_HOME": str(home / ".pulumi"),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_CREDENTIAL_STORE": "plaintext",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _stand_ins() -> Iterator[tuple[str, tuple[str | Path, ...], str]]:
    yield LANGUAGE, (HERE / "language_host.py",), ALL
    # After the engine's address and the pack come the pack's runtime options; `pulumi.policy` takes them for its own.
    yield ANALYZER, ("-u", "-m", "pulumi.policy"), '"$1" "$2"'
