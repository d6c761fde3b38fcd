"""What a generated folder says of itself: our files, their digests, and what an unfinished run was doing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.render.output_names import unusable

MANIFEST = ".aifactory.json"
"""Our files and their SHA-256, written last. Its absence means that nothing in the folder is ours."""

PENDING = ".aifactory.pending.json"
"""Digests that an unfinished run was about to give our files. There only while a run is unfinished."""

MANIFEST_SCHEMA = "aifactory-output/v1"
_PENDING_SCHEMA = "aifactory-output-pending/v1"

Digests = dict[str, frozenset[str]]
"""For each path of ours, every SHA-256 (hex) that a run of ours gave it or was about to give it."""


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def manifest_text(files: Mapping[str, str]) -> bytes:
    """The manifest: the same bytes for the same files and generator version, on every machine."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to import, and only needed here

    generator = {"name": "aifactory", "version": version("ai-factory-blueprints")}
    return _text({"schema": MANIFEST_SCHEMA, "generator": generator, "files": dict(files)})


def pending_text(files: Mapping[str, frozenset[str]]) -> bytes:
    """The record of an unfinished run."""
    return _text({"schema": _PENDING_SCHEMA, "files": {path: sorted(all_) for path, all_ in files.items()}})


def _text(tree: Mapping[str, object]) -> bytes:
    return (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode()


def own_files(folder: Path) -> tuple[Digests, Digests | None]:
    """Our files as the manifest has them, and as unfinished runs left them; None if all runs finished.

    Raises Refused if a record is not one of ours: what belongs to us is then unknown.
    """
    return _read(folder / MANIFEST, MANIFEST_SCHEMA) or {}, _read(folder / PENDING, _PENDING_SCHEMA)


def _read(file: Path, schema: str) -> Digests | None:
    if file.is_symlink():
        raise Refused([_not_ours(file, "it is a symbolic link")])
    try:
        tree = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError, IsADirectoryError) as error:
        raise Refused([_not_ours(file, f"it is not JSON ({error})")]) from None
    if not isinstance(tree, dict) or tree.get("schema") != schema:
        raise Refused([_not_ours(file, f"its schema is not {schema}")])
    files = tree.get("files")
    if not isinstance(files, dict):
        raise Refused([_not_ours(file, "it has no files")])
    return {path: _digests(file, path, value) for path, value in files.items()}


def _digests(file: Path, path: str, value: object) -> frozenset[str]:
    if why := unusable(path):
        raise Refused([_not_ours(file, f'"{path}" {why}')])
    found = value if isinstance(value, list) else [value]
    digests = frozenset(one for one in found if isinstance(one, str))
    if len(digests) < len(found):
        raise Refused([_not_ours(file, f'the digest of "{path}" is not a string')])
    return digests


def _not_ours(file: Path, why: str) -> Problem:
    return Problem(
        says=f"{file}: can't tell which files of the folder were generated: {why}",
        hint="generate into a new folder, or restore this file",
    )
