"""What AWS' resources take and give, as the installed SDK says: read from its source, never imported.

An import of `pulumi_aws` takes seconds and hundreds of MB, and its wheel ships no schema. Its classes are generated
and alike, so the few that a token needs are cut out of their files and parsed, once in a process.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from msgspec import Struct

Kind = Literal["string", "boolean", "integer", "number", "array", "map", "object", "union", "any"]
_SCALARS: dict[str, Kind] = {"str": "string", "bool": "boolean", "int": "integer", "float": "number"}
_WRAPPERS = ("Input", "Output", "Optional", "Awaitable")
PROVIDER = "pulumi:providers:aws"


class UnknownToken(Exception):
    """The SDK has no resource of this token."""


class Type(Struct, frozen=True):
    """A type of the SDK."""

    kind: Kind
    item: Type | None = None
    """Of arrays and maps: what they hold."""
    file: str = ""
    """Of objects: the file of the class, below the SDK, and its name."""
    name: str = ""
    options: tuple[Type, ...] = ()
    """Of unions."""
    values: tuple[str, ...] = ()
    """Of texts that are one of a closed set."""

    def __str__(self) -> str:
        """As a message says it."""
        if self.kind in ("array", "map"):
            return f"{self.kind} of {self.item}"
        if self.kind == "union":
            return " or ".join(str(option) for option in self.options)
        return self.name if self.kind == "object" else self.kind


class Property(Struct, frozen=True):
    """An input or an output."""

    type: Type
    required: bool
    """Of inputs: must be given. Of outputs: is always there."""
    text: str = ""
    """What the SDK says about it."""


Properties = Mapping[str, Property]
"""By wire name."""


class Resource(Struct, frozen=True):
    """A resource of the SDK."""

    token: str
    inputs: Properties
    outputs: Properties

    @property
    def taggable(self) -> bool:
        """Whether it takes a map of tags."""
        return "tags" in self.inputs and self.inputs["tags"].type.kind == "map"


STRING = Type("string")
_IDENTITY = {"id": Property(STRING, required=True), "urn": Property(STRING, required=True)}


@cache
def resource(token: str) -> Resource:
    """The resource of a token such as `aws:eks/cluster:Cluster`. Raises UnknownToken."""
    if token == PROVIDER:
        inputs = _by_init("provider.py", "ProviderArgs")
        return Resource(token, inputs, _IDENTITY)
    file, name = _located(token)
    # `Args` is a block of the resource where that has the name; then the resource's own is another.
    own = next(each for each in (f"{name}InitArgs", f"{name}Args") if f"\nclass {each}:" in _source(file))
    return Resource(token, _by_init(file, own), {**_by_getters(file, name), **_IDENTITY})


@cache
def fields(kind: Type) -> Properties:
    """The properties of an object type."""
    return _by_init(kind.file, kind.name)


def output(token: str, path: str) -> Type | None:
    """Type of an output: `arn`, `vpcConfig.vpcId`, `identities.0.oidcs.0.issuer`. None when there is no such output."""
    first, *rest = path.split(".")
    found = resource(token).outputs.get(first)
    kind = found.type if found else None
    for step in rest:
        kind = _below(kind, step) if kind else None
    return kind


def version() -> str:
    """Version of the SDK, which is that of its plugin."""
    found: dict[str, str] = json.loads((_root() / "pulumi-plugin.json").read_text(encoding="utf-8"))
    return found["version"]


def _below(kind: Type, step: str) -> Type | None:
    if kind.kind == "object":
        found = fields(kind).get(step)
        return found.type if found else None
    if kind.kind == "map" or (kind.kind == "array" and step.isdigit()):
        return kind.item
    return None


@cache
def _root() -> Path:
    found = find_spec("pulumi_aws")
    assert found is not None, "pulumi-aws is a package of requirements/dev.txt"
    assert found.origin is not None
    return Path(found.origin).parent


@cache
def _tokens() -> dict[str, tuple[str, str, str]]:
    """Folder, module and class of each token, from what the SDK registers at its import."""
    text = (_root() / "__init__.py").read_text(encoding="utf-8")
    listed = re.search(r'resource_modules="""\n(.*?)\n"""', text, re.DOTALL)
    assert listed is not None, "pulumi_aws/__init__.py lists its resources otherwise than it did"
    return {
        token: (each["fqn"].removeprefix("pulumi_aws").strip("."), each["mod"].rpartition("/")[2], name)
        for each in json.loads(listed[1])
        for token, name in each["classes"].items()
    }


def _located(token: str) -> tuple[str, str]:
    """File and name of the class of a token."""
    if token not in _tokens():
        raise UnknownToken(f"{token} is no resource of pulumi-aws {version()}")
    folder, module, name = _tokens()[token]
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", module).lower()
    likely = f"{folder}/{snake}.py"
    others = (str(path.relative_to(_root())) for path in sorted((_root() / folder).glob("*.py")))
    for file in (likely, *others):
        if (_root() / file).is_file() and f"\nclass {name}(pulumi.CustomResource)" in _source(file):
            return file, name
    raise UnknownToken(f"{token}: pulumi-aws {version()} lists the class {name} in {folder} and hasn't got it")


@cache
def _source(file: str) -> str:
    return (_root() / file).read_text(encoding="utf-8")


def _class(file: str, name: str) -> ast.ClassDef:
    """A class, cut out of a file that may have hundreds of them."""
    text = _source(file)
    begins = re.search(rf"^class {name}\b", text, re.MULTILINE)
    assert begins is not None, f"pulumi_aws/{file} has no class {name}"
    ends = re.compile(r"^[@\w]", re.MULTILINE).search(text, begins.end())
    found = ast.parse(text[begins.start() : ends.start() if ends else None]).body[0]
    assert isinstance(found, ast.ClassDef)
    return found


def _by_init(file: str, name: str) -> Properties:
    """What a class is made from: required is what has no default."""
    found = _class(file, name)
    wire = dict(_getters(found))
    init = next(each for each in found.body if isinstance(each, ast.FunctionDef) and each.name == "__init__")
    properties = {}
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        assert argument.annotation is not None
        getter = wire[argument.arg]
        kind = _type(argument.annotation, file)
        properties[_wire_name(getter)] = Property(kind, default is None, ast.get_docstring(getter) or "")
    return properties


def _by_getters(file: str, name: str) -> Properties:
    """What a resource has."""
    properties = {}
    for _, getter in _getters(_class(file, name)):
        assert getter.returns is not None
        always = "Optional[" not in ast.unparse(getter.returns).removeprefix("pulumi.Output[")[:9]
        kind = _type(getter.returns, file)
        properties[_wire_name(getter)] = Property(kind, always, ast.get_docstring(getter) or "")
    return properties


def _getters(found: ast.ClassDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    for each in found.body:
        if isinstance(each, ast.FunctionDef) and any("getter" in ast.unparse(one) for one in each.decorator_list):
            yield each.name, each


def _wire_name(getter: ast.FunctionDef) -> str:
    for decorator in getter.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.keywords:
            return str(ast.literal_eval(decorator.keywords[0].value))
    return getter.name


def _type(node: ast.expr, file: str) -> Type:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _named(node.value, file)
    if isinstance(node, ast.Subscript):
        return _generic(node, file)
    last = ast.unparse(node).rpartition(".")[2]
    return Type(_SCALARS[last]) if last in _SCALARS else Type("any")


def _generic(node: ast.Subscript, file: str) -> Type:
    name = ast.unparse(node.value).rpartition(".")[2]
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in _WRAPPERS:
        return _type(inner[0], file)
    if name == "Sequence":
        return Type("array", _type(inner[0], file))
    if name == "Mapping":
        return Type("map", _type(inner[1], file))
    assert name == "Union", f"pulumi_aws/{file} has a type that is not read: {ast.unparse(node)}"
    options = tuple(dict.fromkeys(_type(each, file) for each in inner))
    if any(option == STRING for option in options):
        # An enumeration of the SDK beside `str` is advice: the API's own may have more.
        options = tuple(option for option in options if option.kind != "string" or not option.values)
    return options[0] if len(options) == 1 else Type("union", options=options)


def _named(name: str, file: str) -> Type:
    """A class by its name as a file has it: `FooArgs`, `outputs.Foo`, `_iam.FooArgs`, or an enumeration."""
    folder = file.rpartition("/")[0]
    module, _, bare = name.rpartition(".")
    if module.startswith("_") or ".outputs" in module:
        folder = module.lstrip("_").partition(".")[0]
    holder = "outputs.py" if "outputs" in module else "_inputs.py" if bare.endswith("Args") else "_enums.py"
    path = f"{folder}/{holder}".lstrip("/")
    return Type("string", values=_values(path, bare)) if holder == "_enums.py" else Type("object", file=path, name=bare)


def _values(file: str, name: str) -> tuple[str, ...]:
    """Of an enumeration. None are known of one that lies in a module that the type's name doesn't tell."""
    if not (_root() / file).is_file() or f"\nclass {name}(" not in _source(file):
        return ()
    assigned = (each.value for each in _class(file, name).body if isinstance(each, ast.Assign))
    return tuple(str(ast.literal_eval(value)) for value in assigned)
