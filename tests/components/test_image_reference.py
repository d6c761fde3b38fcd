"""References to images: one grammar, and what is wrong said plainly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.image_reference import Image, parse_image

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("nvcr.io/nvidia/pytorch:25.06-py3", Image("nvcr.io", "nvidia/pytorch", "25.06-py3", "")),
        (f"nvcr.io/nvidia/pytorch@{DIGEST}", Image("nvcr.io", "nvidia/pytorch", "", DIGEST)),
        (f"nvcr.io/a:1@{DIGEST}", Image("nvcr.io", "a", "1", DIGEST)),
        ("localhost/a:1", Image("localhost", "a", "1", "")),
        ("registry:5000/a/b/c:v1", Image("registry:5000", "a/b/c", "v1", "")),
        ("nvcr.io.evil.example/x:1", Image("nvcr.io.evil.example", "x", "1", "")),
        ("ghcr.io/a/b__c-d--e.f:T_1", Image("ghcr.io", "a/b__c-d--e.f", "T_1", "")),
    ],
)
def test_a_reference_is_taken_apart_and_put_together_again(text: str, image: Image) -> None:
    assert parse_image(text) == image
    assert image.text == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pytorch:25.06", "must begin with its registry"),
        ("nvidia/pytorch:25.06", "must begin with its registry"),
        ("NVCR.IO/x:1", "must begin with its registry"),
        (f"nvcr.io@{DIGEST}", "must begin with its registry"),
        ("nvcr.io:99999/x:1", "must begin with its registry"),
        ("nvcr.io:0/x:1", "must begin with its registry"),
        ("nvcr..io/x:1", "must begin with its registry"),
        ("-nvcr.io/x:1", "must begin with its registry"),
        ("https://nvcr.io/x:1", "must begin with its registry"),
        ("nvcr.io\n/x:1", "must begin with its registry"),
        ("\uff4evcr.io/x:1", "must begin with its registry"),
        ("nvcr.io/X:1", "no proper repository"),
        ("nvcr.io/:1", "no proper repository"),
        ("nvcr.io/a//b:1", "no proper repository"),
        ("nvcr.io/a/../b:1", "no proper repository"),
        ("nvcr.io/a b:1", "no proper repository"),
        ("nvcr.io/x:", "is not a tag"),
        ("nvcr.io/x:a b", "is not a tag"),
        ("nvcr.io/x:" + "a" * 129, "is not a tag"),
        ("nvcr.io/x:1:2", "is not a tag"),
        ("nvcr.io/x:1\n", "is not a tag"),
        ("nvcr.io/x@" + DIGEST[:-1], r"\(70 characters\) is not a digest"),
        ("nvcr.io/x@" + DIGEST + "0", r"\(72 characters\) is not a digest"),
        ("nvcr.io/x@" + DIGEST.upper(), "is not a digest"),
        ("nvcr.io/x@sha512:" + "0" * 128, "is not a digest"),
        ("nvcr.io/x@", r"\(0 characters\) is not a digest"),
        (f"nvcr.io/x@{DIGEST}@{DIGEST}", "is not a digest"),
        ("nvcr.io/x", "neither tag nor digest"),
    ],
)
def test_a_wrong_reference_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_image(text)


@given(st.text(alphabet="aA0.:/@-_$(\n", max_size=80))
def test_whatever_is_accepted_is_written_back_unchanged(text: str) -> None:
    try:
        image = parse_image(text)
    except ValueError:
        return
    assert image.text == text
