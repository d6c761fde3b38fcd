"""Whether the registry from which a platform's nodes pull has its images: pods that lack one wait for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aifactory.components.mirroring import MirrorOffer
from aifactory.components.rows import CloudRow
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.finding import Finding

REPOSITORY = "aws:ecr/repository:Repository"
COPIES = "copies of images"
Copies = Mapping[str, tuple[str, ...]]
"""Tags and digests that rows name, by repository; none where a chart inside of a chart says the tag."""
_SHOWN = 3
"""Missing images that are named; the others are counted."""
_OPEN = "?"
"""Stands in a tag where the site leaves a release open: any image of the repository may be it."""


def copies(images: Iterable[str], mirror: MirrorOffer, rows: Iterable[CloudRow]) -> Copies:
    """What must lie in the registry: images that the platform names, and one in each repository of the base."""
    wanted: dict[str, list[str]] = {str(row.properties["name"]): [] for row in rows if row.token == REPOSITORY}
    for image in images:
        repository = mirror.repository_of(image)
        if repository:
            wanted.setdefault(repository, []).append(_version(image))
    return {name: tuple(found) for name, found in sorted(wanted.items())}


def looked_at_copies(wanted: Copies, stack: str, whose: str, account: Account) -> Iterator[Finding]:
    """The finding about images of a stack; none if it has no copies. `whose` account it is. Raises `Declined`."""
    if not wanted:
        return
    lacking: list[str] = []
    there = False
    for repository, versions in wanted.items():
        found = _images(repository, whose, account)
        there = there or found is not None
        lacking += _lacking(repository, versions, found or ())
    total = sum(len(versions) or 1 for versions in wanted.values())
    fill = f"run copy-images.sh of the folder that aifactory generate writes for {stack}"
    if not lacking:
        yield Finding(COPIES, "ok", f"all {total} are in the registry")
    elif not there:
        yield Finding(COPIES, "missing", "none of their repositories is there: the base makes them", f"then {fill}")
    else:
        named = ", ".join(lacking[:_SHOWN]) + (f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else "")
        says = f"{len(lacking)} of {total} are not in the registry, from which alone nodes pull: {named}"
        yield Finding(COPIES, "broken", says, fill)


def _images(repository: str, whose: str, account: Account) -> list[Mapping[str, Any]] | None:
    """What a repository holds; None if there is no such repository."""
    try:
        return account.every("ecr", "describe_images", "imageDetails", registryId=whose, repositoryName=repository)
    except Declined as declined:
        if declined.code != "RepositoryNotFoundException":
            raise
        return None


def _lacking(repository: str, versions: Iterable[str], found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    images = list(found)
    known = {name for image in images for name in (image.get("imageDigest"), *image.get("imageTags", ()))}
    exact = [version for version in versions if _OPEN not in version]
    if not images and not exact:
        yield repository
    for version in exact:
        if version not in known:
            yield f"{repository}{'@' if version.startswith('sha256:') else ':'}{version}"


def _version(image: str) -> str:
    """Digest of an image, else its tag."""
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2] or "latest"
