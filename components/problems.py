"""What is wrong with an input, as data: collected everywhere, rendered only by the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from aifactory.components.masking import MASK, is_private, masked

Path = tuple[str | int, ...]

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


class Position(Struct, frozen=True):
    """A place in a source file. `line` and `column` count from 1; `file` is relative to the project root."""

    file: str
    line: int
    column: int


class Problem(Struct, frozen=True):
    """One thing that keeps an input from being accepted.

    `says` names the value and what is allowed; `hint` names what to do next. `path` is the place in the
    document, as keys and indexes. `rule` is the id of the planner rule that found it, empty for the language
    itself. `site` is the site at which it shows, empty when it holds everywhere. A `warning` doesn't refuse.
    `document` is the one that `path` leads through. `commands` are what the hint ends in, each on a line of its own
    that is never folded, so that it can be copied.
    """

    says: str
    path: Path = ()
    hint: str = ""
    at: Position | None = None
    rule: str = ""
    site: str = ""
    severity: Literal["error", "warning"] = "error"
    document: Literal["blueprint", "site"] = "blueprint"
    commands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Masks what looks like a secret and escapes what a terminal obeys, so that no message carries either."""
        says = _QUOTED.sub(f'"{MASK}"', self.says) if is_private(self.path) else self.says
        for field, text in (("says", says), ("hint", self.hint)):
            if (safe := _printable(masked(text))) != getattr(self, field):
                force_setattr(self, field, safe)
        if self.commands:
            force_setattr(self, "commands", tuple(_printable(masked(each)) for each in self.commands))

    def located(self, at: Position | None) -> Problem:
        """The same problem, at a place in a file."""
        return replace(self, at=at)


class Refused(Exception):
    """An input was refused. Carries every problem found, never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.says for problem in self.problems) or "refused")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    escaped = (char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text)
    return "".join(char if char.isprintable() else safe for char, safe in zip(text, escaped, strict=True))


def path_text(path: Path) -> str:
    """`("parts", 1, "accelerator")` as `parts[1].accelerator`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def resembling(name: str, known: Iterable[str]) -> str | None:
    """The known spelling that a name comes closest to, if any does."""
    folded = {each.casefold(): each for each in sorted(known, reverse=True)}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    close += [each for each in folded if len(name) > 1 and each.startswith(name.casefold())]
    return folded[close[0]] if close else None


def nearest(name: str, known: Iterable[str], shown: int = 12) -> str:
    """A hint that names the closest known spelling and what else is known."""
    names = sorted(known)
    listed = ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
    close = resembling(name, names)
    suggestion = f'did you mean "{close}"? ' if close is not None else ""
    return suggestion + (f"Known: {listed}" if names else "None is known")
