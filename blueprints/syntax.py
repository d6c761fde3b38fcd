"""What the YAML parser complains of, in plain words with a hint."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from aifactory.blueprints.shown import escaped
from aifactory.components.problems import Position, Problem

_KNOWN = (  # part of the message of libyaml or PyYAML, what we say, what to do; the first that fits
    (
        "mapping values are not allowed",
        'a ": " where no key may stand',
        "quote the value, or fix the indentation",
    ),
    (
        "found unknown escape",
        "an unknown escape after a backslash",
        "use single quotes, or double the backslash",
    ),
    ("invalid Unicode character", "an escape that is no character", "write the character itself"),
    ("undefined tag handle", "a tag (!...)", "tags are not used here; quote text that starts with !"),
    ("sequence entries are not allowed", "a list item that may not stand here", "start it on its own line"),
    ("incompatible YAML document", "a %YAML version that is not 1.2", "delete the line"),
    ("unknown directive", "a line that starts with %", "quote text that starts with %"),
    ("alphabetic or numeric", "an anchor or alias without a name", "quote text that starts with & or *"),
    ("expected <document start>", "text after the end of the document", "check its indentation, or quote it"),
)
_STARTS = {
    "@": ("text that starts with @ without quotes", "quote it"),
    "`": ("text that starts with a backquote without quotes", "quote it"),
    "%": ("text that starts with % without quotes", "quote it"),
}
_OPENER = re.compile(r"(?:&\S+\s+)?([\[{])")  # a bracket, perhaps behind its anchor
_CLOSED_BY = {"{": "}", "[": "]"}


class _Complaint(Struct, frozen=True):
    """An error of the parser: what it says, where it is and where the thing it concerns began."""

    message: str
    context: str
    index: int
    at: Position
    began: Position
    text: str

    @property
    def char(self) -> str:
        return self.text[self.index : self.index + 1]

    @property
    def at_the_end(self) -> bool:
        return "end of stream" in self.message or not self.text[self.index :].strip()


def syntax_problem(error: Any, text: str, file: str, innermost: Position | None) -> Problem:
    """The problem behind an error of the YAML parser (a `yaml.YAMLError`).

    `innermost` is where the innermost list or map starts that was still open.
    """
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Problem(f"not YAML: {escaped(str(error))}", at=Position(file, 1, 1))
    began = getattr(error, "context_mark", None) or mark
    complaint = _Complaint(
        message=str(error.problem or ""),
        context=str(error.context or ""),
        index=mark.index,
        at=Position(file, mark.line + 1, mark.column + 1),
        began=Position(file, began.line + 1, began.column + 1),
        text=text,
    )
    return _unclosed(complaint, innermost) or _of_character(complaint) or _known(complaint) or _unknown(complaint)


def _unclosed(complaint: _Complaint, innermost: Position | None) -> Problem | None:
    if complaint.context == "while scanning a quoted scalar" and complaint.at_the_end:
        return Problem("this quote is never closed", hint="close it", at=complaint.began)
    if "document indicator" in complaint.message:
        return Problem("a quoted text runs into ---", hint="close the quote", at=complaint.began)
    flow = complaint.context.startswith("while parsing a flow")
    if not flow or innermost is None:
        return None
    opener = _opener(complaint.text, innermost)
    if opener is None:
        return None
    hint = f"close it with {_CLOSED_BY[opener]}, separate items with commas, or quote the text"
    if complaint.at_the_end:
        return Problem(f"this {opener} is never closed", hint=hint, at=innermost)
    opened = f"opened at line {innermost.line}, column {innermost.column}"
    return Problem(f"this does not fit into the {opener} {opened}", hint=hint, at=complaint.at)


def _of_character(complaint: _Complaint) -> Problem | None:
    if complaint.char == "\t" or "\\t" in complaint.message:
        return Problem("a tab where only spaces may stand", hint="indent with spaces", at=complaint.at)
    if complaint.char == ":" and "expected key" in complaint.message:
        return Problem("a value without a key", hint="write a key before the colon", at=complaint.at)
    if complaint.char and complaint.char in "]}":
        says = f"a {complaint.char} that closes nothing"
        return Problem(says, hint="delete it, or quote the text", at=complaint.at)
    if "cannot start any token" in complaint.message and complaint.char in _STARTS:
        says, hint = _STARTS[complaint.char]
        return Problem(says, hint=hint, at=complaint.at)
    return None


def _known(complaint: _Complaint) -> Problem | None:
    if "could not find expected ':'" in complaint.message:
        says = 'this line is neither "key: value" nor "- item"'
        return Problem(says, hint="add the colon, or indent it under the text it continues", at=complaint.began)
    for part, says, hint in _KNOWN:
        if part in complaint.message:
            return Problem(says, hint=hint, at=complaint.at)
    if not complaint.context.startswith("while parsing a block"):
        return None
    if complaint.text[: complaint.index].rstrip(" ").endswith(("'", '"')):
        return Problem("text after a closing quote", hint="quote the whole text", at=complaint.at)
    block = f"the block around it starts at line {complaint.began.line}, column {complaint.began.column}"
    return Problem("the indentation fits nothing above it", hint=f"{block}; align with it", at=complaint.at)


def _unknown(complaint: _Complaint) -> Problem:
    hint = "quote the text, or check brackets and indentation"
    return Problem(f"not YAML: {escaped(complaint.message)}", hint=hint, at=complaint.at)


def _opener(text: str, at: Position) -> str | None:
    lines = text.split("\n", at.line)
    match = _OPENER.match(lines[at.line - 1], at.column - 1) if len(lines) >= at.line else None
    return None if match is None else match.group(1)
