"""A document and its fragments: how they join, and which includes are refused (HI-09 to HI-12)."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aifactory.blueprints.includes import chain_text, compose
from aifactory.blueprints.limits import Limits
from aifactory.blueprints.source import Document
from aifactory.components.problems import Position, Problem, Refused, path_text


def project(root: Path, files: Mapping[str, str]) -> Path:
    """Writes files of a project, each with its version line; returns the first."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"aifactory: v1\n{text}")
    return root / next(iter(files))


def composed(root: Path, files: Mapping[str, str]) -> Document:
    """The document of the first of these files."""
    return compose(project(root, files), root)


def refused(root: Path, files: Mapping[str, str], limits: Limits = Limits()) -> tuple[Problem, ...]:  # noqa: B008
    """The problems of files that must be refused."""
    path = project(root, files)
    with pytest.raises(Refused) as raised:
        compose(path, root, limits)
    return raised.value.problems


JOINED: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("one file", {"a.yaml": "x: 1"}, {"x": 1}),
    (
        "lists grow in the order of the includes, its own last",
        {"a.yaml": "include: [b.yaml, c.yaml]\nl: [3]", "b.yaml": "l: [1]", "c.yaml": "l: [2]"},
        {"l": [1, 2, 3]},
    ),
    (
        "maps join key by key, at any depth",
        {"a.yaml": "include: [b.yaml]\nm: {x: {p: 1}}", "b.yaml": "m: {x: {q: 2}, y: 3}"},
        {"m": {"x": {"p": 1, "q": 2}, "y": 3}},
    ),
    (
        "equal scalars are one",
        {"a.yaml": "include: [b.yaml]\nname: f\nm: {x: 1}", "b.yaml": "name: f\nm: {x: 1}"},
        {"name": "f", "m": {"x": 1}},
    ),
    (
        "fragments include fragments, relative to themselves",
        {
            "a.yaml": "include: [f/b.yaml]",
            "f/b.yaml": "include: [g/c.yaml, ../d.yaml]",
            "f/g/c.yaml": "x: 1",
            "d.yaml": "y: 2",
        },
        {"x": 1, "y": 2},
    ),
    ("a leading dot is fine", {"a.yaml": "include: [./b.yaml]", "b.yaml": "x: 1"}, {"x": 1}),
    ("an empty list of includes", {"a.yaml": "include: []\nx: 1"}, {"x": 1}),
    ("a fragment of nothing but its version", {"a.yaml": "include: [b.yaml]", "b.yaml": ""}, {}),
]


@pytest.mark.parametrize(("_case", "files", "data"), JOINED, ids=[case[0] for case in JOINED])
def test_fragments_join(_case: str, files: dict[str, str], data: dict[str, Any], tmp_path: Path) -> None:
    document = composed(tmp_path, files)
    assert document.data == {"aifactory": "v1", **data}
    assert sorted(document.files) == sorted(files)


def test_every_joined_value_keeps_its_place(tmp_path: Path) -> None:
    files = {"a.yaml": "include: [f/b.yaml]\nm: {x: 1}\nl: [1]\n", "f/b.yaml": "m:\n  y: 2.50\nl:\n  - 0\n"}
    document = composed(tmp_path, files)
    assert document.positions[("m", "x")] == Position("a.yaml", 3, 8)
    assert document.positions[("m", "y")] == Position("f/b.yaml", 3, 6)
    assert document.positions.key(("m", "y")) == Position("f/b.yaml", 3, 3)
    assert document.positions[("l", 0)] == Position("f/b.yaml", 5, 5)
    assert document.positions[("l", 1)] == Position("a.yaml", 4, 5)
    assert document.raw(("m", "y")) == "2.50"


CONFLICTS = [
    ("x: 1", "x: 2", "x", "set to 2 here and to 1 at b.yaml:2:1"),
    ("x: 1", "x: 1.0", "x", "set to 1.0 here and to 1 at b.yaml:2:1"),
    ("x: 1", "x: '1'", "x", 'set to "1" here and to 1 at b.yaml:2:1'),
    ("x: true", "x: 1", "x", "set to 1 here and to true at b.yaml:2:1"),
    ("x: null", "x: ''", "x", 'set to "" here and to null at b.yaml:2:1'),
    ("x: {}", "x: []", "x", "set to a list here and to a map at b.yaml:2:1"),
    ("x: {y: 1}", "x: 1", "x", "set to 1 here and to a map at b.yaml:2:1"),
    ("m: {x: eu}", "m: {x: us}", "m.x", 'set to "us" here and to "eu" at b.yaml:2:5'),
]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("one", "other", "path", "says"), CONFLICTS)
def test_two_files_that_disagree_are_refused_in_either_order(
    one: str, other: str, path: str, says: str, swapped: bool, tmp_path: Path
) -> None:
    order = "c.yaml, b.yaml" if swapped else "b.yaml, c.yaml"
    (problem,) = refused(tmp_path, {"a.yaml": f"include: [{order}]", "b.yaml": one, "c.yaml": other})
    assert path_text(problem.path) == path
    assert problem.says == says
    assert problem.at is not None
    assert problem.at.file == "c.yaml"
    assert "never overrides" in problem.hint


def test_a_file_does_not_override_its_fragment(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, {"a.yaml": "include: [b.yaml]\nnodes: 8", "b.yaml": "nodes: 4"})
    assert problem.says == "set to 4 here and to 8 at a.yaml:3:1"
    assert problem.at == Position("b.yaml", 2, 1)


FORMS = [
    ("/etc/passwd", '"/etc/passwd" is an absolute path'),
    ("~/x.yaml", '"~/x.yaml" starts with ~, which is not expanded'),
    ("~root/x.yaml", '"~root/x.yaml" starts with ~'),
    ("file:///etc/x.yaml", "is a URL"),
    ("file:x.yaml", "is a URL"),
    ("http://example.com/x.yaml", "is a URL"),
    ("s3://bucket/x.yaml", "is a URL"),
    ("git+ssh://host/x.yaml", "is a URL"),
    ("//server/share/x.yaml", "is a network path"),
    ("\\\\server\\share\\x.yaml", "has a backslash"),
    ("f\\b.yaml", "has a backslash"),
    ("C:/x.yaml", "starts with a drive letter"),
    ("c:x.yaml", "starts with a drive letter"),
    ("b.yaml/", "is a folder"),
    ("f/", "is a folder"),
    ("f/.", "is a folder"),
    ("f/..", "is a folder"),
    (".", "is a folder"),
    ("..", "is a folder"),
    ("", "is empty"),
    ("  ", "is empty"),
    ("f", '"f" does not end in .yaml, .yml, .json'),
    (".env", '".env" does not end in .yaml'),
    ("x.yaml.txt", "does not end in .yaml"),
    ("f.yaml", "f.yaml is a folder, not a file"),
    ("nothing.yaml", 'there is no file "nothing.yaml"'),
    ("b.yaml ", "does not end in .yaml"),
    ("*.yaml", 'there is no file "*.yaml"'),
    ("${HOME}/x.yaml", 'there is no file "${HOME}/x.yaml"'),
    ("../outside.yaml", '"../outside.yaml" lies outside the project'),
    ("f/../../outside.yaml", "lies outside the project"),
    ("../missing.yaml", "lies outside the project"),
    ("link-out.yaml", '"link-out.yaml" lies outside the project'),
    ("folder-out/outside.yaml", "lies outside the project"),
    ("x" * 300 + ".yaml", "cannot be read: File name too long"),
    ("b.yaml/c.yaml", "cannot be read: Not a directory"),
]


@pytest.mark.parametrize(("written", "says"), FORMS)
def test_an_include_that_is_no_file_of_the_project_is_refused(written: str, says: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    quoted = written.replace("'", "''")
    files = {"a.yaml": f"include: ['{quoted}']", "b.yaml": "x: 1", "../outside.yaml": "canary: secret"}
    project(root, files)
    (root / "f.yaml").mkdir()
    (root / "f").mkdir()
    (root / "link-out.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "folder-out").symlink_to(tmp_path)
    (problem,) = refused(root, {"a.yaml": f"include: ['{quoted}']"})
    assert says in problem.says
    assert "canary" not in problem.says
    assert problem.says.isprintable()
    if "is a folder, not a file" not in says:
        assert problem.at == Position("a.yaml", 2, 11)
        assert problem.path == ("include", 0)


NOT_NAMES = [
    ("b.yaml", "include is not a list", 10),
    ("{b.yaml: 1}", "include is not a list", 10),
    ("null", "include is not a list", 10),
    ("[4]", "4 is not a file name", 11),
    ("[null]", "null is not a file name", 11),
    ("[[b.yaml]]", "this is not a file name", 11),
    ("[{parameter: file}]", "this is not a file name", 11),
]


@pytest.mark.parametrize(("written", "says", "column"), NOT_NAMES)
def test_an_include_is_a_list_of_names(written: str, says: str, column: int, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, {"a.yaml": f"include: {written}", "b.yaml": ""})
    assert problem.says == says
    assert problem.at == Position("a.yaml", 2, column)
    assert problem.hint


def test_a_link_within_the_project_is_followed_and_counts_as_its_target(tmp_path: Path) -> None:
    files = {"a.yaml": "include: [link.yaml, f/b.yaml]", "f/b.yaml": "x: 1"}
    path = project(tmp_path, files)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "f" / "b.yaml")
    with pytest.raises(Refused) as raised:
        compose(path, tmp_path)
    (problem,) = raised.value.problems
    assert problem.says == '"f/b.yaml" is included twice: a.yaml → f/b.yaml, and a.yaml → f/b.yaml'


def test_a_name_that_differs_in_case_has_a_hint(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, {"a.yaml": "include: [Common.yaml]", "common.yaml": ""})
    assert problem.hint.startswith('did you mean "common.yaml"?')


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="this file system has no two such files")
def test_two_files_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    files = {"a.yaml": "include: [b.yaml, B.yaml]", "b.yaml": "x: 1", "B.yaml": "y: 1"}
    (problem,) = refused(tmp_path, files)
    assert problem.says == '"B.yaml" differs from "b.yaml" only in case'


CYCLES = [
    ({"a.yaml": "include: [a.yaml]"}, '"a.yaml" includes itself: a.yaml → a.yaml'),
    ({"a.yaml": "include: [b.yaml]", "b.yaml": "include: [./a.yaml]"}, "a.yaml → b.yaml → a.yaml"),
    (
        {"a.yaml": "include: [b.yaml]", "b.yaml": "include: [c.yaml]", "c.yaml": "include: [b.yaml]"},
        '"b.yaml" includes itself: a.yaml → b.yaml → c.yaml → b.yaml',
    ),
    (
        {"a.yaml": "include: [b.yaml, c.yaml]", "b.yaml": "include: [c.yaml]", "c.yaml": ""},
        '"c.yaml" is included twice: a.yaml → b.yaml → c.yaml, and a.yaml → c.yaml',
    ),
    (
        {"a.yaml": "include: [b.yaml, b.yaml]", "b.yaml": ""},
        "is included twice: a.yaml → b.yaml, and a.yaml → b",
    ),
]


@pytest.mark.parametrize(("files", "says"), CYCLES)
def test_a_file_taken_twice_is_refused_with_the_way_to_it(files: dict[str, str], says: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, files)
    assert says in problem.says


def chain(length: int) -> dict[str, str]:
    """Files that include one another in a row; the last includes the first."""
    return {f"f{i}.yaml": f"include: [f{(i + 1) % length}.yaml]\n" for i in range(length)}


@pytest.mark.parametrize("length", [50, 1_000])
def test_a_long_chain_of_includes_is_refused_at_its_limit(length: int, tmp_path: Path) -> None:
    path = project(tmp_path, chain(length))
    start = time.process_time()
    with pytest.raises(Refused) as raised:
        compose(path, tmp_path)
    assert time.process_time() - start < 1
    (problem,) = raised.value.problems
    assert '"f16.yaml" is one file too deep, at most 16 in a chain: f0.yaml → f1.yaml → f2.yaml →' in problem.says
    assert len(problem.says) < 200


def test_a_chain_within_the_limit_is_read(tmp_path: Path) -> None:
    files = chain(16) | {"f15.yaml": "x: 1"}
    assert composed(tmp_path, files).data == {"aifactory": "v1", "x": 1}


def test_more_files_than_the_limit_are_refused(tmp_path: Path) -> None:
    fragments = {f"f{i}.yaml": f"k{i}: 1" for i in range(64)}
    names = list(fragments)
    (problem,) = refused(tmp_path, {"a.yaml": f"include: [{', '.join(names)}]", **fragments})
    assert problem.says == '"f63.yaml" is one file too many; at most 64 are read'
    assert len(composed(tmp_path, {"b.yaml": f"include: [{', '.join(names[:63])}]"}).files) == 64


def test_files_that_are_large_together_are_refused(tmp_path: Path) -> None:
    fragments = {f"f{i}.yaml": "l: [1, 2, 3, 4, 5]" for i in range(9)}
    files = {"a.yaml": f"include: [{', '.join(fragments)}]", **fragments}
    problems = refused(tmp_path, files, Limits(nodes=20))
    assert "is not read: the files before it hold over 20 values" in problems[0].says
    problems = refused(tmp_path, files, Limits(all_bytes=100))
    assert "or 100 bytes" in problems[0].says
    compose(tmp_path / "a.yaml", tmp_path)


def test_alias_bombs_in_many_fragments_do_not_add_up(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
    bomb += "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
    fragments = {f"f{i}.yaml": bomb for i in range(60)}
    start = time.process_time()
    problems = refused(tmp_path, {"a.yaml": f"include: [{', '.join(fragments)}]", **fragments})
    assert time.process_time() - start < 5
    assert "is not read: the files before it hold over 250000 values" in problems[0].says


VERSIONS = [
    ("x: 1\n", "the file does not say which version of the language it is written in", 1),
    ("x: 1\naifactory: v2\n", 'aifactory: "v2" is not a known version', 2),
    ("aifactory: 1\n", "aifactory: 1 is not a known version", 1),
    ("aifactory: [v1]\n", "aifactory: null is not a known version", 1),
    ("- x\n", "the file is not a map", 1),
    ("text\n", "the file is not a map", 1),
]


@pytest.mark.parametrize("is_fragment", [False, True])
@pytest.mark.parametrize(("text", "says", "line"), VERSIONS)
def test_every_file_states_its_version(text: str, says: str, line: int, is_fragment: bool, tmp_path: Path) -> None:
    path = project(tmp_path, {"a.yaml": "include: [b.yaml]"})
    (tmp_path / "b.yaml").write_text(text)
    with pytest.raises(Refused) as raised:
        compose(path if is_fragment else tmp_path / "b.yaml", tmp_path)
    (problem,) = raised.value.problems
    assert problem.says == says
    assert problem.at is not None
    assert (problem.at.file, problem.at.line) == ("b.yaml", line)
    assert "aifactory: v1" in problem.hint


def test_the_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    files = {
        "a.yaml": "include: [b.yaml, c.yaml, no.yaml, d.yaml]\nx: 1\nx: 2\n",
        "b.yaml": "y: !tag 1\n",
        "c.yaml": "z: 'open\n",
    }
    assert [problem.at for problem in refused(tmp_path, files)] == [Position("a.yaml", 4, 1)]
    files["a.yaml"] = "include: [b.yaml, c.yaml, no.yaml, d.yaml]\nx: 1\n"
    (tmp_path / "d.yaml").write_bytes(b"\xef\xbb\xbfaifactory: v1\n")
    found = [(problem.at.file, problem.at.line) for problem in refused(tmp_path, files) if problem.at is not None]
    assert found == [("b.yaml", 2), ("c.yaml", 2), ("a.yaml", 2), ("d.yaml", 1)]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    files = {
        "a.yaml": "include: [b.yaml, c.yaml]\nx: !!python/object/apply:os.mkdir [pwned]",
        "b.yaml": "y: 1",
    }
    project(tmp_path, files)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(Refused):
        compose(tmp_path / "a.yaml", tmp_path)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_a_missing_first_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as raised:
        compose(tmp_path / "factory.yaml", tmp_path)
    assert "there is no file" in raised.value.problems[0].says


def test_a_long_chain_is_shown_without_its_middle() -> None:
    assert chain_text(tuple("abcdef")) == "a → b → c → d → e → f"
    assert chain_text(tuple("abcdefg")) == "a → b → c → (2 more) → f → g"


VALUES = st.recursive(
    st.integers(0, 2) | st.sampled_from(["a", "b"]) | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
FRAGMENTS = st.lists(st.dictionaries(st.sampled_from("pq"), VALUES, max_size=2), min_size=2, max_size=3)


@given(fragments=FRAGMENTS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_includes_of_maps_and_scalars_means_nothing(
    fragments: list[dict[str, Any]], tmp_path: Path
) -> None:

    results = []
    names = [f"f{index}.yaml" for index in range(len(fragments))]
    for order in (names, names[::-1]):
        path = project(tmp_path, {"a.yaml": f"include: [{', '.join(order)}]"})
        for name, fragment in zip(names, fragments, strict=True):
            (tmp_path / name).write_text(json.dumps({"aifactory": "v1", **fragment}))
        try:
            results.append(compose(path, tmp_path).data)
        except Refused:
            results.append(None)
    assert results[0] == results[1]
