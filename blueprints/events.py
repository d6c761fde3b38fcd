"""The events of a YAML text: from libyaml, or from PyYAML's own parser where libyaml is not built in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml import YAMLError, __with_libyaml__
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


def events(text: str) -> Callable[[], Any]:
    """A function that gives the next event, None at the end; it raises `yaml.YAMLError` where YAML ends."""
    if __with_libyaml__:
        from yaml._yaml import CParser  # noqa: PLC0415 - missing where libyaml is not built in

        return CParser(text).get_event
    return _PythonParser(text).next_event


class _PythonParser(Reader, Scanner, Parser):
    """PyYAML's parser without its composer and constructor. Much slower than libyaml; same events."""

    def __init__(self, text: str) -> None:
        """Takes the whole text."""
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def next_event(self) -> Any:
        """The next event, None at the end. Raises `YAMLError` alone, as libyaml does."""
        parser: Any = self
        try:
            return parser.get_event() if parser.check_event() else None
        except (ValueError, OverflowError) as error:  # an escape beyond the last code point
            raise YAMLError("an escape that is no character") from error
