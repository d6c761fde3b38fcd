"""One blueprint of an AI factory becomes complete, explained stacks for every site it runs at.

`aifactory.AiFactory(name, blueprint=…, site=…)` is a Pulumi component; naming it first imports Pulumi.
"""

from importlib import import_module

TYPE_CHECKING = False  # the one of `typing`, without its 4 ms
if TYPE_CHECKING:
    from aifactory.stacks.program.components import AiFactory
    from aifactory.stacks.program.folder import register_folder

__all__ = ["AiFactory", "register_folder"]

_HOMES = {
    "AiFactory": "aifactory.stacks.program.components",
    "register_folder": "aifactory.stacks.program.folder",
}


def __getattr__(name: str) -> object:
    """The exports, imported at first use, so that `import aifactory` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What the package exports, beside its rooms."""
    return sorted([*globals(), *__all__])
