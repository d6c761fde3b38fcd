"""How errors of pydantic become problems: one for each mistake, at its real place, in words of ours."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from aifactory.blueprints.document import Document
from aifactory.blueprints.invalid import problems_of
from aifactory.blueprints.parameters import bind
from aifactory.blueprints.source import parse
from aifactory.blueprints.spots import models_in, spot
from aifactory.blueprints.texts import field_texts, first_sentence, form_text, unit_of
from aifactory.components.given import NodeGroup
from aifactory.components.names import NAME_PATTERN, Name
from aifactory.components.problems import path_text
from aifactory.components.queue.spec import Tenant
from aifactory.components.spec import Spec
from aifactory.components.training.spec import TrainingSpec

Small = Annotated[int, Field(ge=1, le=7)]


class Circle(Spec):
    """A shape with a radius."""

    kind: Literal["circle"]
    """What it is."""

    radius_mm: int = Field(ge=1)
    """How large it is. Unit: mm."""


class Square(Spec):
    """A shape with a side."""

    kind: Literal["square"]
    """What it is."""

    circle: int = 1
    """A field that is called like a tag. Default 1."""


A_NAME = "A name that every target takes as it is: a letter, then letters, digits and -, lower case, 40 at most"
E_ACUTE = "U+00E9 LATIN SMALL LETTER E WITH ACUTE"
LOWER = "Words in lower case, and nothing else"
Shape = Annotated[Circle | Square, Field(discriminator="kind")]


class Drawing(Spec):
    """Shapes, and whatever else a model may hold."""

    shapes: list[Shape] = []
    """The shapes."""

    frame: Shape | None = None
    """The frame. Default none."""

    scale: Small | Literal["auto", "fit"] = "auto"
    """How large it is drawn."""

    share: Small | dict[Name, Small] = 1
    """Parts of it."""

    sizes: list[int] | Circle | str = ""
    """Anything."""

    by_name: dict[Name, Circle] = {}
    """Circles by name."""

    password: str = Field(default="", max_length=3)
    """A secret by its name."""

    words: str = Field(default="", pattern="^[a-z ]*$")
    """Words in lower case, and nothing else."""

    ratio: float = Field(default=1, gt=0, lt=2)
    """A ratio. Unit: one."""

    even: int = Field(default=2, multiple_of=2)
    """A number without an odd part."""

    @model_validator(mode="after")
    def _words_are_few(self) -> Drawing:
        if self.words.count(" ") > 1:
            raise ValueError(f'"{self.words}" are too many words; keep two; or one')
        return self


def document_of(text: str) -> Document:
    """A text as a document, parameters bound."""
    return bind(parse(text.encode(), "f.yaml"), {})


def said(text: str) -> list[tuple[int, int, str, str]]:
    """Line, column, words with path, and hint of each problem."""
    document = document_of(text)
    with pytest.raises(ValidationError) as raised:
        Drawing.model_validate(document.data)
    return [
        (each.at.line, each.at.column, f"{path_text(each.path)}: {each.says}", each.hint)
        for each in problems_of(raised.value, document, Drawing)
        if each.at
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # members of unions are never told one by one
        ("scale: 0", (1, 8, "scale: 0 is too small", "write at least 1: How large it is drawn")),
        ("scale: x", (1, 8, 'scale: "x" is not a whole number, "auto" or "fit"', "How large it is drawn")),
        (
            "scale: fitt",
            (1, 8, 'scale: "fitt" is not a whole number, "auto" or "fit"', 'did you mean "fit"? Known: auto, fit'),
        ),
        ("scale: 9x", (1, 8, 'scale: "9x" is not a whole number, "auto" or "fit"', "write the number alone")),
        (
            "scale: []",
            (1, 8, 'scale: a list of 0 items is not a whole number, "auto" or "fit"', "How large it is drawn"),
        ),
        ("scale:", (1, 7, "scale: no value is given", "write one, or delete the line: How large it is drawn")),
        ("share: 8", (1, 8, "share: 8 is too large", "write at most 7: Parts of it")),
        ("share: {a: 8}", (1, 12, "share.a: 8 is too large", "write at most 7: Parts of it")),
        ("share: {a: x}", (1, 12, 'share.a: "x" is not a whole number', "write a number")),
        ("share: x", (1, 8, 'share: "x" is not a whole number or a map', "Parts of it")),
        ("sizes: [1, x]", (1, 12, 'sizes[1]: "x" is not a whole number', "write a number")),
        ("sizes: {kind: circle}", (1, 1, "sizes.radius_mm: the field is missing", "add radius_mm: How large it is")),
        ("sizes: 5", (1, 8, "sizes: 5 is not a list, a map or text", "Anything")),
        # tags lead to the real place, also where a field is called like a tag
        (
            "shapes: [{kind: circle}]",
            (1, 10, "shapes[0].radius_mm: the field is missing", "add radius_mm: How large it is"),
        ),
        (
            "shapes: [{kind: square, circle: x}]",
            (1, 33, 'shapes[0].circle: "x" is not a whole number', "write a number"),
        ),
        ("shapes: [{kind: oval}]", (1, 17, 'shapes[0].kind: "oval" is not a known kind', "Known: circle, square")),
        ("shapes: [{}]", (1, 10, "shapes[0].kind: the field is missing", "add kind: circle or square")),
        ("shapes: [x]", (1, 10, 'shapes[0]: "x" is not a map', "write its fields below it: kind, radius_mm, circle")),
        ("frame: {kind: 5}", (1, 15, 'frame.kind: "5" is not a known kind', "Known: circle, square")),
        (
            "frame: {kind: circle, radius_mm: 1, side: 2}",
            (1, 37, 'frame.side: "side" is not a known field', 'did you mean "kind"? Known: kind, radius_mm'),
        ),
        # keys of maps, and their values
        (
            "by_name: {Big: {kind: circle, radius_mm: 1}}",
            (
                1,
                11,
                'by_name.Big: "Big" doesn\'t have the right form',
                f'{A_NAME}, such as "big"',
            ),
        ),
        (
            "by_name: {a: {kind: circle}}",
            (1, 11, "by_name.a.radius_mm: the field is missing", "add radius_mm: How large it is"),
        ),
        ("by_name: [a]", (1, 10, "by_name: a list of 1 item is not a map", "write KEY: VALUE below it")),
        # secrets
        ("password: hunter2", (1, 11, "password: it has 7 characters, at most 3 are allowed", "A secret by its name")),
        ("password: 12345", (1, 11, "password: this value (not shown) is not text", "write it in quotes")),
        # the rest
        ("words: 'A B'", (1, 8, 'words: "A B" doesn\'t have the right form', LOWER)),
        ("words: 'é'", (1, 8, f'words: "é" doesn\'t have the right form: {E_ACUTE} is in it', LOWER)),
        ("words: 'a b c'", (1, 1, ': "a b c" are too many words', "keep two; or one")),
        ("even: 3", (1, 7, "even: 3: input should be a multiple of 2", "A number without an odd part")),
        ("ratio: 2", (1, 8, "ratio: 2 is too large", "write less than 2 one: A ratio")),
        ("ratio: 0", (1, 8, "ratio: 0 is too small", "write more than 0 one: A ratio")),
        ("ratio: '1'", (1, 8, 'ratio: "1" is not a number', "write it without quotes: 1")),
        (
            "shapes: {}",
            (1, 9, "shapes: a map of 0 keys is not a list", "write a list, each item on a line after a dash"),
        ),
    ],
)
def test_one_mistake_is_one_problem_at_its_place(text: str, problem: tuple[int, int, str, str]) -> None:
    assert said(text) == [problem]


def test_a_whole_document_of_another_shape_is_refused() -> None:
    document = document_of("[a]")
    with pytest.raises(ValidationError) as raised:
        Drawing.model_validate(document.data)
    (problem,) = problems_of(raised.value, document, Drawing)
    assert problem.says == "a list of 1 item is not a map"
    assert problem.hint.startswith("write its fields below it: shapes, frame")


def test_many_problems_are_told_up_to_a_hundred_and_counted() -> None:
    document = document_of("shapes:\n" + "- {kind: circle, radius_mm: 0}\n" * 5_000)
    with pytest.raises(ValidationError) as raised:
        Drawing.model_validate(document.data)
    problems = problems_of(raised.value, document, Drawing)
    assert len(problems) == 101
    assert problems[0].path == ("shapes", 0, "radius_mm")
    assert problems[-1].says == "4900 more problems follow"
    assert problems[-1].at == problems[-2].at


def test_a_value_of_a_parameter_names_the_parameter() -> None:
    text = "parameters: {n: {type: integer, default: 9}}\nscale: {parameter: n}\n"
    ((line, column, says, hint),) = said(text)
    assert (line, column, says) == (2, 8, "scale: 9 is too large")
    assert hint == "write at most 7: How large it is drawn; the value is that of parameter n"


@pytest.mark.parametrize(
    ("loc", "path", "known"),
    [
        (("shapes", 0, "circle", "radius_mm"), ("shapes", 0, "radius_mm"), ()),
        (("shapes", 0, "circle", "size"), ("shapes", 0, "size"), ("kind", "radius_mm")),
        (("frame", "square", "circle"), ("frame", "circle"), ()),
        (("scale", "constrained-int"), ("scale",), ()),
        (("scale", "literal['auto','fit']"), ("scale",), ()),
        (("share", "dict[constrained-str,constrained-int]", "a"), ("share", "a"), ()),
        (("share", "dict[constrained-str,constrained-int]", "a", "[key]"), ("share", "a"), ()),
        (("sizes", "Circle", "radius_mm"), ("sizes", "radius_mm"), ()),
        (("sizes", "list[int]", 3), ("sizes", 3), ()),
        (("by_name", "a", "[key]"), ("by_name", "a"), ("kind", "radius_mm")),
        (("by_name", "[key]"), ("by_name", "[key]"), ("kind", "radius_mm")),
        (("ratio", "deeper"), ("ratio", "deeper"), ()),
        (("no_field",), ("no_field",), tuple(Drawing.model_fields)),
        ((), (), tuple(Drawing.model_fields)),
    ],
)
def test_a_location_leads_to_a_place_in_the_document(
    loc: tuple[int | str, ...], path: tuple[int | str, ...], known: tuple[str, ...]
) -> None:
    found = spot(Drawing, loc)
    assert (found.path, found.known) == (path, known)


def test_models_are_found_inside_any_annotation() -> None:
    assert models_in(Drawing.model_fields["shapes"].annotation) == [Circle, Square]
    assert models_in(dict[str, list[Circle] | None]) == [Circle]
    assert models_in(int) == []


@pytest.mark.parametrize(
    ("model", "field", "pattern", "text"),
    [
        (Tenant, "name", NAME_PATTERN, "A name that every target takes as it is: a letter, then letters, digits and -"),
        (Tenant, "gpus", NAME_PATTERN, "A name that every target takes as it is"),
        (Tenant, "priority", NAME_PATTERN, "A priority, short enough"),
        (NodeGroup, "racks", "no such pattern", "Racks and the nodes in them"),
        (NodeGroup, "group", "", "A name that every target"),
        (TrainingSpec, "name", NAME_PATTERN, "A name that every target"),
        (None, "name", NAME_PATTERN, ""),
        (Drawing, "no_field", "", ""),
    ],
)
def test_the_words_for_a_form_stand_below_it(model: type[Spec] | None, field: str, pattern: str, text: str) -> None:
    assert form_text(model, field, pattern).startswith(text)
    assert bool(form_text(model, field, pattern)) is bool(text)


def test_texts_of_fields_come_from_the_source_base_classes_first() -> None:
    texts = field_texts(TrainingSpec)
    assert list(texts)[:2] == ["name", "renamed_from"]
    assert texts["pool"].startswith("GPU node pool it runs on.")
    assert first_sentence("One thing, 1.5 times.\nAnother.") == "One thing, 1.5 times"
    assert [unit_of(text) for text in ("A. Unit: kW, after.", "A. Unit: GiB.", "A.")] == ["kW", "GiB", ""]
