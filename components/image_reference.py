"""References to images: the one grammar that the runtime, the policies and the lock file agree on."""

from __future__ import annotations

import re

from msgspec import Struct

_HOST = re.compile(r"(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?::[0-9]{1,5})?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Image(Struct, frozen=True):
    """An image by registry, repository, and tag or digest. With both, the digest decides and the tag is a
    remark."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def text(self) -> str:
        """The reference as a container runtime reads it."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_image(text: str) -> Image:
    """The parts of a reference. Raises ValueError with what is wrong.

    The registry is always written, in lower case, because what runtimes add when it is missing differs.
    Source: distribution/reference grammar.
    """
    rest, at, digest = text.partition("@")
    registry, slash, path = rest.partition("/")
    if not slash or not _is_registry(registry):
        raise ValueError(f'"{text}" must begin with its registry in lower case: nvcr.io/nvidia/pytorch:25.06-py3')
    repository, colon, tag = path.partition(":")
    if not all(_COMPONENT.fullmatch(part) for part in repository.split("/")):
        raise ValueError(
            f'"{text}" has no proper repository after "{registry}/"; use lower-case words joined by slashes'
        )
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(f'"{tag}" is not a tag; use at most 128 letters, digits, dots, dashes and underscores')
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError(f'"{digest}" ({len(digest)} characters) is not a digest: that is sha256: and 64 digits 0-9a-f')
    if not colon and not at:
        raise ValueError(f'"{text}" has neither tag nor digest, so it means another image every day; add one')
    return Image(registry, repository, tag, digest)


def _is_registry(text: str) -> bool:
    named = "." in text or ":" in text or text == "localhost"
    return named and _HOST.fullmatch(text) is not None and 0 < int(text.partition(":")[2] or 1) < 65_536
