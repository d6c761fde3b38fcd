"""Private catalog folders: they add rows with source and day, and never replace one."""

from pathlib import Path

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.problems import Problem, Refused

CARD = """\
sources: {quote: "vendor quote of 2026-10-01"}
accelerators:
- {id: acme-x1, aliases: [x1], vendor: acme, memory_gb: {value: 64, src: [quote]}, checked: 2026-10-01}
"""


def written(folder: Path, text: str, name: str = "accelerators.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def problems_of(*folders: Path) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as refused:
        Catalog.with_folders(folders)
    return refused.value.problems


def test_a_private_folder_adds_rows(tmp_path: Path) -> None:
    catalog = Catalog.with_folders([written(tmp_path / "facts", CARD)])
    row = catalog.row("accelerators", "x1")
    assert row.ref == "accelerators/acme-x1"
    assert row.number("memory_gb") == 64
    assert row.sources == ("vendor quote of 2026-10-01",)
    assert row.checked == "2026-10-01"
    assert catalog.row("accelerators", "h200").number("memory_gb") == 141
    assert {"x1", "acme-x1", "h200"} <= set(catalog.names("accelerators"))
    assert catalog.hint("accelerators", "x2").startswith('did you mean "x1"?')
    assert "accelerators/acme-x1" in catalog.digest(["accelerators/acme-x1"])


def test_the_shipped_catalog_does_not_see_a_private_row(tmp_path: Path) -> None:
    Catalog.with_folders([written(tmp_path / "facts", CARD)])
    assert Catalog.shipped().find("accelerators", "x1") is None


def test_without_private_files_the_catalog_is_the_shipped_one(tmp_path: Path) -> None:
    assert Catalog.with_folders([]) is Catalog.shipped()
    assert Catalog.with_folders([tmp_path, tmp_path / "missing"]) is Catalog.shipped()


@pytest.mark.parametrize("taken", ["nvidia-h200-sxm", "h200"])
def test_a_name_that_is_taken_is_refused_with_both_files(taken: str, tmp_path: Path) -> None:
    (problem,) = problems_of(written(tmp_path / "facts", CARD.replace("acme-x1", taken)))
    assert problem.says == (
        f'"{taken}" of accelerators is in facts/accelerators.yaml and in aifactory/components/catalog/accelerators.yaml'
    )


def test_an_alias_that_is_taken_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(written(tmp_path / "facts", CARD.replace("[x1]", "[b200]")))
    assert '"b200" of accelerators is in' in problem.says


def test_two_private_folders_may_not_name_the_same_row(tmp_path: Path) -> None:
    problems = problems_of(written(tmp_path / "one", CARD), written(tmp_path / "two", CARD))
    assert [problem.says for problem in problems] == [
        '"acme-x1" of accelerators is in two/accelerators.yaml and in one/accelerators.yaml',
        '"x1" of accelerators is in two/accelerators.yaml and in one/accelerators.yaml',
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (", checked: 2026-10-01", "", '"acme-x1" has no date'),
        ("2026-10-01}\n", "2026-13-45}\n", '"acme-x1" has no date'),
        ("{value: 64, src: [quote]}", "64", '"acme-x1" has no source'),
        ("src: [quote]", "src: []", "memory_gb has a value and no source"),
        ("src: [quote]", "src: [qoute]", 'source "qoute" is not explained in `sources`'),
        ("id: acme-x1, ", "", "a row of accelerators has no id"),
        ("aliases: [x1]", "aliases: x1", 'aliases of "acme-x1" are not a list of texts'),
        ("aliases: [x1]", "aliases: [{a: b}]", 'aliases of "acme-x1" are not a list of texts'),
        ("aliases: [x1]", "aliases: [acme-x1]", '"acme-x1" is an alias and a row'),
        ("accelerators:", "acelerators:", '"acelerators" is not a section of this file'),
        ('sources: {quote: "vendor quote of 2026-10-01"}', "sources: 5", "sources is not a mapping"),
        ('"vendor quote of 2026-10-01"', "[1]", "sources is not a mapping of keys to texts"),
        ("sources:", "keys: {accelerators: [vendor]}\nsources:", '"keys" is not a section of this file'),
        ("- {id", "  {id", "accelerators is not a list of rows"),
    ],
)
def test_a_private_row_that_is_not_sourced_or_not_a_row_is_refused(
    was: str, becomes: str, says: str, tmp_path: Path
) -> None:
    assert was in CARD
    problems = problems_of(written(tmp_path / "facts", CARD.replace(was, becomes)))
    assert any(says in problem.says for problem in problems), [problem.says for problem in problems]
    assert {problem.at.file for problem in problems if problem.at} == {"facts/accelerators.yaml"}


def test_a_row_named_twice_is_refused(tmp_path: Path) -> None:
    twice = CARD + CARD.splitlines()[-1].replace("[x1]", "[x2]") + "\n"
    assert [problem.says for problem in problems_of(written(tmp_path / "facts", twice))] == ['"acme-x1" names two rows']


def test_every_problem_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    folder = written(tmp_path / "facts", CARD.replace(", checked: 2026-10-01", ""))
    written(folder, "models: [{id: m1}]", "models.yaml")
    written(folder, "a: 1", "acelerators.yaml")
    says = [problem.says for problem in problems_of(folder)]
    assert says == [
        '"acme-x1" has no date',
        "facts/acelerators.yaml is not a catalog file",
        '"m1" has no date',
        '"m1" has no source',
    ]


def test_a_file_with_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    (problem,) = problems_of(written(tmp_path / "facts", CARD, "acelerators.yaml"))
    assert problem.hint.startswith('did you mean "accelerators"?')


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facts" / "models.yaml").mkdir(parents=True)
    (problem,) = problems_of(tmp_path / "facts")
    assert problem.says == "facts/models.yaml is not a file"


def test_a_private_train_that_lacks_its_definitions_is_refused_when_it_is_used(tmp_path: Path) -> None:
    from aifactory.components.catalog.trains import kubernetes_range, releases

    train = """\
checked: 2026-11-01
trains: [{id: mine, releases: [kueue], kubernetes: {min: new, max: "1.36"}, source: own tests of ours}]
releases:
- {name: kueue, train: mine, provides: kueue, chart: kueue, repository: "oci://r", version: "1",
   app_version: "1", schemas: [], source: own tests of ours, crds: [{names: [a.b]}]}
"""
    catalog = Catalog.with_folders([written(tmp_path / "facts", train, "trains.yaml")])
    for ask in (releases, kubernetes_range):
        with pytest.raises(Refused, match=r"has no sourced (crds\.arrive|kubernetes)"):
            ask(catalog, "mine")
