"""The reader of catalog files: a strict part of YAML 1.2 that hostile input can't hurt."""

import pytest

from aifactory.components.catalog.source import MAX_BYTES, MAX_DEPTH, ReadError, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("2026-11-21", "2026-11-21"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("010", 10),
        ("-3", -3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", "False"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("<<", "<<"),
        ("é", "é"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = read(f"a: {text}\n".encode())["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds one mapping"),
        ("[1]", "holds one mapping"),
        ("a: 1\na: 2", 'line 2: key "a" is given twice'),
        ("a: &x [1]\nb: *x", "line 1: a catalog file has no anchors"),
        ("a: *x", "no anchors or aliases"),
        ("a: !!python/object/apply:os.system [ls]", "has no tags"),
        ("a: !!int 3", "has no tags"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("? [a]\n: 1", "a key is one word or text"),
        ("a: 1e999", "is not a finite number"),
        ("a: [", "not YAML"),
        ("a: \0", "not YAML"),
        ("a: " + "[" * 200_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("a: " + "{b: " * 200_000, f"nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_what_is_not_a_catalog_file_is_refused(text: str, says: str) -> None:
    with pytest.raises(ReadError, match=says):
        read(text.encode())


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(ReadError, match="more than the"):
        read(b"[" * (MAX_BYTES + 1))


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(ReadError, match="not YAML"):
        read(b"a: \xff\xff\n")
