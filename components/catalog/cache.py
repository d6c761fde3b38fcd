"""Compiled catalog files, kept in the user's cache folder.

An entry is named by the SHA-256 of the file and of the code that compiles it, and carries the SHA-256 of its
own content: an entry of other bytes or of other code has another name, and a damaged one is not used. A cache
that cannot be read or written changes nothing but the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

_CODE = ("source.py", "compile.py")


def folder() -> Path | None:
    """`$XDG_CACHE_HOME/aifactory/catalog`, else under `~/.cache`; None when there is no home folder."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "aifactory", "catalog") if os.path.isabs(base) else None


def entry(stem: str, text: bytes) -> Path | None:
    """Where the compiled form of these bytes lies; None when it can't be kept."""
    place, code = folder(), _code_digest()
    if place is None or code is None:
        return None
    return place / f"{stem}-{hashlib.sha256(code + hashlib.sha256(text).digest()).hexdigest()[:40]}.json"


def load(path: Path) -> Any:
    """The content of an entry, or None when it is missing, damaged or someone else's."""
    try:
        with path.open("rb") as file:
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            digest, _, body = file.read().partition(b"\n")
        return json.loads(body) if hashlib.sha256(body).hexdigest().encode() == digest else None
    except (OSError, ValueError):
        return None


def store(path: Path, content: Any) -> None:
    """Writes an entry in one step, so that a reader sees all of it or nothing. Failure is silent."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    body = text.encode("utf-8", "surrogatepass")  # names of files may hold bytes that are no text
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            with open(new, "xb", opener=_private) as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(new, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


@cache
def _code_digest() -> bytes | None:
    try:
        return hashlib.sha256(b"".join(Path(__file__).with_name(name).read_bytes() for name in _CODE)).digest()
    except OSError:
        return None
