"""`aifactory explain`: how one value came about, back to what was written and to the facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import call, spawn
from support.written import BLUEPRINT, SITE, write_project

OTHER = SITE.replace("site: lab", "site: other")
WITH_PARAMETER = BLUEPRINT.replace(
    "name: demo", "name: demo\nparameters:\n  count: {type: integer, default: 2}"
).replace("nodes: 2", "nodes: {parameter: count}")


def chains(path: Path, what: str, *words: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    """The chains of a value, by stack and path."""
    ran = call("explain", path, what, *words, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    data = json.loads(ran.out)
    assert set(data) == {"schema", "path", "stacks"}
    found: dict[str, dict[str, list[dict[str, object]]]] = data["stacks"]
    return found


def test_a_chain_has_reason_alternatives_facts_and_place(tmp_path: Path) -> None:
    found = chains(write_project(tmp_path), "train.driver.version")["demo-lab-platform"]["train.driver.version"]
    first = found[0]
    assert set(first) == {
        "depth", "path", "value", "reason", "rejected", "facts", "written", "parameter", "set", "repeated"
    }  # fmt: skip
    assert (first["path"], first["depth"], first["repeated"]) == ("train.driver.version", 0, False)
    assert first["rejected"]
    assert isinstance(first["facts"], list)
    assert all(set(fact) == {"row", "sources", "checked"} and fact["sources"] for fact in first["facts"])
    assert [link["depth"] for link in found][:2] == [0, 1]


def test_a_value_names_where_it_was_written(tmp_path: Path) -> None:
    found = chains(write_project(tmp_path), "train.nodes")["demo-lab-platform"]["train.nodes"][0]
    assert (found["written"], found["parameter"], found["set"]) == ("factory.yaml:10:12", "", "")


@pytest.mark.parametrize(
    ("blueprint", "words", "given"),
    [
        (WITH_PARAMETER, (), "factory.yaml:4:35"),
        (WITH_PARAMETER.replace("[lab]", "[lab]\n  parameters: {lab: {count: 2}}"), (), "factory.yaml:8:29"),
        (WITH_PARAMETER, ("--set", "count=2"), "--set"),
    ],
)
def test_a_parameter_names_where_it_was_set(tmp_path: Path, blueprint: str, words: tuple[str, ...], given: str) -> None:
    path = write_project(tmp_path, blueprint)
    found = chains(path, "train.nodes", *words)["demo-lab-platform"]["train.nodes"][0]
    assert (found["parameter"], found["set"]) == ("count", given)
    assert f"as parameter count, set by {given}" in " ".join(call("explain", path, "train.nodes", *words).out.split())


def test_a_part_names_all_that_was_decided_about_it(tmp_path: Path) -> None:
    found = chains(write_project(tmp_path), "train")["demo-lab-platform"]
    assert len(found) > 10
    assert all(path.startswith("train.") for path in found)


def test_sites_that_agree_are_told_once(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER)
    out = call("explain", path, "teams.sharing").out
    assert out.startswith("demo-lab-platform\ndemo-other-platform\n  teams.sharing = fair\n")
    assert out.count("teams.sharing = ") == 1
    assert call("explain", path, "teams.sharing", "--site", "other").out.startswith("demo-other-platform\n  teams")


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("train.node", 'did you mean "train.nodes"? Known: train.'),
        ("train.driver.versoin", 'did you mean "train.driver.version"?'),
        ("trian.nodes", 'did you mean "train"? Known: cluster, fabric, teams, train'),
        ("nothing", "Known: cluster, fabric, teams, train"),
    ],
)
def test_a_misspelled_path_gets_the_nearest(tmp_path: Path, what: str, hint: str) -> None:
    ran = call("explain", write_project(tmp_path), what)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f'nothing was decided about "{what}"\nhint: ')
    assert hint in ran.err


def test_a_path_that_only_one_site_has_is_explained_there(tmp_path: Path) -> None:
    pool = "  - {kind: gpu-node-pool, name: more, accelerator: h200, nodes: 1, sites: [other]}\nparts:\n"
    blueprint = (
        BLUEPRINT.replace("[lab]", "[lab, other]")
        .replace("nodes: 2", "nodes: 1")
        .replace("parts:\n", "parts:\n" + pool.removesuffix("parts:\n"))
        .replace("{name: product, gpus: 8}", "{name: product, gpus: 0}")
    )
    found = chains(write_project(tmp_path, blueprint, other=OTHER), "more.nodes")
    assert list(found) == ["demo-other-platform"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_chains_fit_the_terminal(tmp_path: Path, columns: int) -> None:
    path = write_project(tmp_path)
    out = spawn("explain", path, "train", env={"COLUMNS": str(columns)}).out
    assert "    because " in out
    wide = [line for line in out.splitlines() if len(line) > columns]
    assert all(" " not in line.strip() for line in wide), wide
    shown = [line for line in out.splitlines() if line.strip() == "(shown above)"]
    assert all(line.startswith("      ") for line in shown)


def test_a_decision_that_a_chain_meets_twice_is_told_once() -> None:
    path = Path(__file__).parents[2] / "blueprints" / "library" / "training-roce.yaml"
    chains_of_one = chains(path, "pretrain", "--site", "fra-dc1")["training-roce-fra-dc1-platform"]
    twice = [link for links in chains_of_one.values() for link in links if link["repeated"]]
    assert twice, "no chain meets a decision twice: choose another part"
    assert all(link["facts"] == [] for link in twice)
    assert "(shown above)" in call("explain", path, "pretrain", "--site", "fra-dc1").out


def test_a_replica_count_leads_from_requests_to_gpus_with_the_source_of_every_number() -> None:
    path = Path(__file__).parents[2] / "blueprints" / "library" / "sovereign-inference.yaml"
    found = chains(path, "chat.gpus", "--site", "ams-colo1")["sovereign-inference-ams-colo1-platform"]["chat.gpus"]
    links = {str(link["path"]).removeprefix("chat."): link for link in found if not link["repeated"]}
    assert list(links)[:2] == ["gpus", "replicas"]
    assert {"peak", "tokens_per_s", "latency", "concurrency", "sequences", "memory", "layout"} <= set(links)
    line = 1 + path.read_text("utf-8").splitlines().index("    - name: llama-3.3-70b")
    assert links["peak"]["written"] == f"blueprints/library/sovereign-inference.yaml:{line}:7"
    unsourced = [
        name
        for name in ("tokens_per_s", "latency", "sequences", "memory", "layout")
        if not links[name]["facts"] or not all(fact["sources"] for fact in links[name]["facts"])  # type: ignore[attr-defined]
    ]
    assert unsourced == []
    of_memory = {str(fact["row"]) for fact in links["memory"]["facts"]}  # type: ignore[attr-defined]
    assert len([fact for fact in of_memory if fact.startswith("models.runtime_overhead/")]) == 3
    assert links["layout"]["rejected"]
    text = " ".join(call("explain", path, "chat.gpus", "--site", "ams-colo1").out.split())
    for told in (
        "6 calls per s over 1.86 that one carries at the expected speed over 1.5: 4",
        "20 % growth",
        "90% of 131.3 GiB",
    ):
        assert told in text
