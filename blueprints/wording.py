"""What is said of a value that a model refuses: the value, what is allowed, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Annotated, Any

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from aifactory.blueprints.characters import character
from aifactory.blueprints.shown import escaped, shown
from aifactory.blueprints.spots import Spot
from aifactory.blueprints.texts import field_texts, first_sentence, form_text, unit_of
from aifactory.components.masking import MASK
from aifactory.components.names import NAME_CHARS, NAME_PATTERN
from aifactory.components.problems import Path, nearest, resembling

Words = tuple[str, str]
"""What is wrong, and what to do."""

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
MISMATCHES = (*_KINDS, "literal_error")
"""Errors that say only that a value is of another type."""

_NUMBER = re.compile(r"[-+]?[0-9][0-9_,' ]*(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class Refusal(Struct, frozen=True, dict=True):
    """One value that a model refused."""

    details: ErrorDetails
    spot: Spot
    path: Path
    raw: str | None
    """The value as written, where it is a scalar."""
    private: bool
    """Whether the value may be a secret and must not be shown."""

    @property
    def kind(self) -> str:
        """Type of the pydantic error."""
        return self.details["type"]

    @property
    def value(self) -> Any:
        """What was given."""
        return self.details["input"]

    @property
    def context(self) -> dict[str, Any]:
        """What pydantic says beside the type, such as `ge`."""
        return self.details.get("ctx", {})

    @property
    def field(self) -> str:
        """The last name on the way."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "the document")

    @cached_property
    def text(self) -> str:
        """The value in a sentence."""
        if self.private and self.value is not None:
            return "this value (not shown)"
        if self.raw is not None and self.value is not None and not isinstance(self.value, str):
            return escaped(self.raw)
        return shown(self.value)

    @cached_property
    def about(self) -> str:
        """The text of the field."""
        return "" if self.spot.owner is None else field_texts(self.spot.owner).get(self.spot.field, "")

    @property
    def needed(self) -> bool:
        """Whether the field has no default."""
        owner, name = self.spot.owner, self.spot.field
        return owner is None or self.path[-1] != name or owner.model_fields[name].is_required()

    @property
    def sentence(self) -> str:
        """The first sentence of that text: what the field is."""
        return first_sentence(self.about)


def words(refusal: Refusal) -> Words:
    """What is wrong with one value, and what to do."""
    if refusal.value is None and refusal.kind in MISMATCHES:
        way = "write one" if refusal.needed else "write one, or delete the line"
        return "no value is given", f"{way}: {refusal.sentence}"
    if refusal.kind in _KINDS:
        return _mismatch(refusal, _KINDS[refusal.kind])
    word = _WORDS.get(refusal.kind)
    if word is not None:
        return word(refusal)
    message = str(refusal.details["msg"])
    return f"{refusal.text}: {message[:1].lower()}{message[1:]}", refusal.sentence


def none_of(refusal: Refusal, errors: Sequence[ErrorDetails]) -> Words:
    """The same of a value that no member of a union takes."""
    if refusal.value is None:
        return words(refusal)
    choices: list[str] = []
    allowed: list[str] = []
    for details in errors:
        if details["type"] == "literal_error":
            allowed += _choices(details.get("ctx", {}).get("expected"))
        else:
            choices.append(_KINDS[details["type"]])
    *others, last = [*choices, *(f'"{name}"' for name in allowed)]
    says = f"{refusal.text} is not {', '.join(others)} or {last}"
    if isinstance(refusal.value, str) and "a whole number" in choices and _NUMBER.match(refusal.value):
        return says, _number_hint(refusal)
    if isinstance(refusal.value, str) and resembling(refusal.value, allowed) is not None:
        return says, nearest(refusal.value, allowed)
    return says, refusal.sentence


def _mismatch(refusal: Refusal, expected: str) -> Words:
    says, value = f"{refusal.text} is not {expected}", refusal.value
    if expected == "text":
        return says, _text_hint(refusal)
    if expected.endswith("number"):
        return says, _number_hint(refusal)
    if expected == "true or false":
        word = _YES.get(str(value).lower(), "")
        return says, f"write {word}, without quotes" if word else "write true or false, without quotes"
    if expected == "a list":
        if refusal.raw is None:
            return says, "write a list, each item on a line after a dash"
        return says, "write it in brackets" + ("" if refusal.private else f": [{refusal.raw}]")
    fields = ", ".join(refusal.spot.known[:6])
    return says, f"write its fields below it: {fields}" if fields else "write KEY: VALUE below it"


def _text_hint(refusal: Refusal) -> str:
    """How to write the text that was meant: in quotes, if the field then takes it."""
    if refusal.raw is None:
        return "write one line of text"
    if refusal.private:
        return "write it in quotes"
    other = _refused_as_text(refusal, refusal.raw)
    if other is None:
        return f'write it in quotes: "{refusal.raw}"'
    return form_text(refusal.spot.owner, refusal.spot.field) if other.kind == "value_error" else words(other)[1]


def _refused_as_text(refusal: Refusal, text: str) -> Refusal | None:
    """What would be wrong with the value in quotes; only known of fields with one value."""
    if refusal.spot.owner is None or refusal.path[-1] != refusal.spot.field:
        return None
    field = refusal.spot.owner.model_fields[refusal.spot.field]
    annotation: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter[Any](annotation).validate_python(text)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        return Refusal(details, refusal.spot, refusal.path, text, refusal.private)
    return None


def _number_hint(refusal: Refusal) -> str:
    """How to write the number that was meant. Numbers have no quotes, no separators and no units."""
    unit = unit_of(refusal.about)
    if isinstance(refusal.value, float):
        low = int(refusal.value)
        return f"write {low}" if low == refusal.value else f"write {low} or {low + 1}"
    text = "" if refusal.private or not isinstance(refusal.value, str) else refusal.value.strip()
    number = _NUMBER.match(text)
    if number is None:
        foreign = any(char.isnumeric() and not char.isascii() for char in text)
        return ", ".join(filter(None, ["write a number", "in the digits 0 to 9" if foreign else "", _in(unit)]))
    rest, plain = text[number.end() :].strip(), re.sub(r"[_,' ]", "", number[0])
    if not rest:
        return f"write it without quotes: {plain}" if number[0] == plain else f"write {plain}"
    if unit and rest.casefold() == unit.casefold():
        return f"write the number alone: {plain}; its unit is always {unit}"
    return ", ".join(filter(None, ["write the number alone", _in(unit)]))


def _in(unit: str) -> str:
    return f"in {unit}" if unit else ""


def _missing(refusal: Refusal) -> Words:
    return "the field is missing", f"add {refusal.field}: {refusal.sentence}"


def _extra(refusal: Refusal) -> Words:
    name = str(refusal.path[-1])
    elsewhere = refusal.spot.model.belongs_elsewhere if refusal.spot.model is not None else {}
    return f"{shown(name)} is not a known field", elsewhere.get(name) or nearest(name, refusal.spot.known)


def _catalog(refusal: Refusal) -> Words:
    return f"{refusal.text} is not a known {refusal.context['noun']}", str(refusal.context.get("hint", ""))


def _choice(refusal: Refusal) -> Words:
    known = _choices(refusal.context.get("expected"))
    if refusal.private or not isinstance(refusal.value, str):
        return f"{refusal.text} is not allowed here", nearest("", known)
    return f"{refusal.text} is not a known {refusal.field}", nearest(refusal.value, known)


def _tag(refusal: Refusal) -> Words:
    known, tag = refusal.spot.tags, refusal.context.get("tag")
    if tag is None:
        return "the field is missing", f"add {refusal.field}: {', '.join(known[:-1])} or {known[-1]}"
    return f"{shown(tag)} is not a known {refusal.field}", nearest(str(tag), known)


def _said(refusal: Refusal) -> Words:
    """What a validator of ours said: what is wrong, a semicolon, what to do."""
    text, given = str(refusal.context.get("error", refusal.details["msg"])), refusal.value
    if isinstance(given, str) and given:
        text = text.replace(given, "\0")
    says, _, hint = text.partition("; ")
    safe = MASK if refusal.private else shown(given)[1:-1]
    return says.replace("\0", safe), hint.replace("\0", safe)


def _form(refusal: Refusal) -> Words:
    owner, pattern = refusal.spot.owner, str(refusal.context.get("pattern", ""))
    form = form_text(owner, refusal.spot.field, pattern)
    says = f"{refusal.text} doesn't have the right form"
    odd = next((char for char in str(refusal.value) if not char.isascii()), "")
    if refusal.private:
        return says, form
    if odd:
        return f"{says}: {character(odd)} is in it", form
    example = _name_like(str(refusal.value)) if pattern == NAME_PATTERN else ""
    return says, f'{form}, such as "{example}"' if example else form


def _long(refusal: Refusal) -> Words:
    length, most = len(refusal.value), refusal.context.get("max_length")
    return f"it has {_counted(length, refusal.value)}, at most {most} are allowed", refusal.sentence


def _short(refusal: Refusal) -> Words:
    length, least = len(refusal.value), refusal.context.get("min_length")
    if not length:
        kinds: dict[type[Any], str] = {str: "text", list: "list", dict: "map"}
        return f"the {kinds[type(refusal.value)]} is empty", refusal.sentence
    return f"it has {_counted(length, refusal.value)}, at least {least} are needed", refusal.sentence


def _counted(length: int, value: object) -> str:
    one, more = ("character", "characters") if isinstance(value, str) else ("entry", "entries")
    return f"{length} {one if length == 1 else more}"


def _bound(word: str, size: str, key: str) -> Callable[[Refusal], Words]:
    def say(refusal: Refusal) -> Words:
        unit = unit_of(refusal.about)
        limit = f"write {word} {refusal.context[key]:g}{f' {unit}' if unit else ''}"
        return f"{refusal.text} is too {size}", f"{limit}: {refusal.sentence}" if refusal.sentence else limit

    return say


def _choices(expected: object) -> list[str]:
    """The names in `'all', 'quotas' or 'auto'`."""
    return re.findall(r"'([^']*)'", str(expected or ""))


def _name_like(text: str) -> str:
    """A name near a text; empty when there is none."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower())[:NAME_CHARS].strip("-")
    return name if re.fullmatch(NAME_PATTERN, name) else ""


_WORDS: dict[str, Callable[[Refusal], Words]] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "catalog_name": _catalog,
    "literal_error": _choice,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _tag,
    "value_error": _said,
    "string_pattern_mismatch": _form,
    "string_too_long": _long,
    "too_long": _long,
    "string_too_short": _short,
    "too_short": _short,
    "greater_than_equal": _bound("at least", "small", "ge"),
    "greater_than": _bound("more than", "small", "gt"),
    "less_than_equal": _bound("at most", "large", "le"),
    "less_than": _bound("less than", "large", "lt"),
}
