"""Copies of images in a registry of the site: what they are called there, and how a tree of values names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.problems import Problem, Refused
from aifactory.components.rows import Tree
from aifactory.components.values import Json

REPOSITORY_AT_MOST = 256
"""Characters of a repository's name. Source: Amazon ECR API, RepositoryName."""
_DOCKER = "docker.io"
_PORT = "_"
"""Stands before the port of a registry in the name of its folder: no host has it, and a repository may."""
_WHOLE = frozenset({"imageName", "rbacProxyImage"})
"""Fields that hold a whole name beside `image`: of a database by CloudNativePG, and of the proxy in KServe's chart."""


class Unnamed(Struct, frozen=True):
    """An image that an operator takes for objects of a kind, unless the object names one."""

    kind: str
    """Kind and group, such as `EnvoyProxy.gateway.envoyproxy.io`."""
    at: str
    """Dotted path of the field that names it."""
    image: str


class MirrorOffer(Struct, frozen=True):
    """A registry that holds a copy of each image of the stack, and from which alone nodes pull."""

    part: str
    """Part that makes its repositories."""
    host: str
    """The registry, such as `111122223333.dkr.ecr.eu-north-1.amazonaws.com`."""
    prefix: str
    """Begins the name of each repository, without a slash at its end."""
    own: tuple[str, ...]
    """Registries that nodes reach anyway: what lies there stays where it is."""
    unnamed: tuple[Unnamed, ...] = ()

    def holds(self, name: str) -> bool:
        """Whether nodes reach an image by this name."""
        return name.partition("/")[0] in self.own

    def copy_of(self, name: str) -> str:
        """What an image is called in the registry, by all or the beginning of its name: its registry becomes a folder.

        Raises Refused for a name that no repository can have.
        """
        if self.holds(name):
            return name
        folder, slash, rest = qualified(name).partition("/")
        inside = f"{self.prefix}/{folder.replace(':', _PORT)}{slash}{rest}"
        if len(_repository(inside)) > REPOSITORY_AT_MOST:
            says = f"the copy of {name} would be {inside}, and a repository's name has {REPOSITORY_AT_MOST} characters"
            raise Refused([Problem(says, ("aws", "image_registry"), "shorten the prefix", document="site")])
        return f"{self.host}/{inside}"

    def original_of(self, name: str) -> str:
        """Where an image was copied from; the name itself for one that is no copy."""
        inside = name.removeprefix(f"{self.host}/{self.prefix}/")
        folder, slash, rest = inside.partition("/")
        return f"{folder.replace(_PORT, ':')}{slash}{rest}" if inside != name else name

    def repository_of(self, name: str) -> str:
        """The repository of a copy, without host, tag and digest; empty for an image that is none."""
        inside = name.removeprefix(f"{self.host}/")
        return _repository(inside) if inside != name and inside.startswith(f"{self.prefix}/") else ""


def qualified(name: str) -> str:
    """An image with its registry written out, as container runtimes read a name without one.

    Source: distribution/reference, ParseNormalizedNamed.
    """
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"{_DOCKER}/{name}" if slash else f"{_DOCKER}/library/{name}"


def mirrored(tree: Any, mirror: MirrorOffer, found: set[str]) -> Any:
    """A tree of values with each image by the name of its copy; `found` gets these names.

    It knows the fields that `stacks/render/images.py` reads: an image's own, that of a volume, `repository`, `image`
    and `version` side by side, or `registry`, `repository` and `tag` of chart values.
    """
    if isinstance(tree, Mapping):
        named = {key: mirrored(value, mirror, found) for key, value in tree.items()}
        return _renamed(named, mirror, found)
    if isinstance(tree, Json):
        return Json(mirrored(tree.tree, mirror, found))
    if isinstance(tree, (list, tuple)):
        return [mirrored(value, mirror, found) for value in tree]
    return tree


def with_unnamed(body: Tree, mirror: MirrorOffer) -> Tree:
    """An object that names the image which its operator would choose."""
    group = str(body["apiVersion"]).rpartition("/")[0]
    for each in mirror.unnamed:
        if f"{body['kind']}.{group}" == each.kind:
            body = _placed(body, each.at.split("."), each.image)
    return body


def _placed(tree: Tree, path: list[str], value: str) -> Tree:
    """A copy of a tree with a value at a path, unless there is one."""
    step, rest = path[0], path[1:]
    if not rest:
        return {step: value, **tree}
    inner = tree.get(step, {})
    assert isinstance(inner, dict)  # noqa: S101 - a path of objects: the catalog's rows are held to schemas by a test
    return {**tree, step: _placed(inner, rest, value)}


def _renamed(value: dict[str, Any], mirror: MirrorOffer, found: set[str]) -> dict[str, Any]:
    image, repository, version = value.get("image"), value.get("repository"), value.get("version")
    for key in _WHOLE & value.keys():
        if isinstance(value[key], str) and value[key]:
            value = {**value, key: _copied(value[key], mirror, found)}
    if isinstance(image, Mapping) and isinstance(image.get("reference"), str):
        return {**value, "image": {**image, "reference": _copied(image["reference"], mirror, found)}}
    if isinstance(image, str) and image:
        if isinstance(repository, str) and repository and isinstance(version, str):
            _copied(f"{repository}/{image}", mirror, found)
            return {**value, "repository": mirror.copy_of(repository)}
        return {**value, "image": _copied(image, mirror, found)} if "name" in value or "/" in image else value
    registry, tag = value.get("registry"), value.get("tag")
    if isinstance(repository, str) and repository:
        if isinstance(registry, str) and registry:
            _copied(f"{registry}/{repository}", mirror, found)
            return {**value, "registry": mirror.copy_of(f"{registry}/").rstrip("/")}
        if isinstance(tag, str) and tag:
            return {**value, "repository": _copied(repository, mirror, found)}
    return value


def _copied(name: str, mirror: MirrorOffer, found: set[str]) -> str:
    copy = mirror.copy_of(name)
    if mirror.repository_of(copy):
        found.add(copy)
    return copy


def _repository(name: str) -> str:
    """A name without tag and digest."""
    return name.partition("@")[0].partition(":")[0]
