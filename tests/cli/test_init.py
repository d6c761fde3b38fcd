"""`aifactory init`: a first project, from an example, from flags, or from answers at a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from aifactory.blueprints.site import AwsSite
from aifactory.cli.commands.init import init
from aifactory.cli.first_aws_site import aws_site_text, regions
from aifactory.cli.first_site import Answers, factory_text, gpus_per_node, site_text
from aifactory.cli.starting import QUESTIONS, completed, files_from_answers, write_new
from aifactory.cli.work import prepare
from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool.accelerators import supported
from aifactory.components.problems import Refused
from aifactory.components.venues import DRAFTED, EDGE_NODES, Venue
from aifactory.stacks.planning.place import place_of
from support.aws_sites import TRAIN
from support.command import COMMAND, call, files_below
from support.planning import plan_site

FLAGS = {
    "--name": "demo",
    "--site": "lab",
    "--venue": "on-prem",
    "--country": "DE",
    "--accelerator": "h200",
    "--nodes": "4",
    "--fabric": "roce",
    "--tenant": "research",
}
EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "blueprints" / "library").glob("*.yaml"))
ACCELERATORS = supported(Catalog.shipped())


def flags(**changes: str | None) -> list[str]:
    """The words of a complete command line, with changes by flag; None leaves a flag out."""
    given = {**FLAGS, **{f"--{name}": value for name, value in changes.items()}}
    return [word for name, value in given.items() if value is not None for word in (name, value)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_copied_with_its_sites_and_passes_its_check(tmp_path: Path, example: str) -> None:
    ran = call("init", tmp_path / "new", "--from", example)
    assert ran.code == 0
    names = sorted(files_below(tmp_path / "new"))
    assert names[:2] == ["aifactory.yaml", "factory.yaml"]
    assert all(name.startswith("sites/") for name in names[2:])
    assert sorted(ran.out.splitlines()) == [str(tmp_path / "new" / name) for name in names]
    assert ran.err == f"Next: aifactory check {tmp_path / 'new' / 'factory.yaml'}\n"
    assert "yaml-language-server" not in (tmp_path / "new" / "factory.yaml").read_text()
    assert call("check", tmp_path / "new" / "factory.yaml").code == 0


@pytest.mark.parametrize("venue", ["on-prem", "colo"])
@pytest.mark.parametrize("fabric", ["roce", "infiniband", "none"])
@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_what_flags_make_can_be_built(tmp_path: Path, accelerator: str, fabric: str, venue: Venue) -> None:
    """All accelerators that pools run, with each fabric, at each kind of place."""
    answers = Answers("demo", "lab", venue, "DE", accelerator, 4, fabric, ("research", "product"))
    write_new(tmp_path, files_from_answers(answers))
    work = prepare(tmp_path / "factory.yaml")
    assert [problem.says for problem in work.warnings if "rest on third-party" not in problem.says] == []


@pytest.mark.parametrize("nodes", [1, 3, 4, 5, 33, 512])
@pytest.mark.parametrize("tenants", [("a",), ("a", "b", "c")])
def test_what_flags_make_can_be_built_at_any_size(tmp_path: Path, nodes: int, tenants: tuple[str, ...]) -> None:
    for fabric in ("roce", "infiniband", "none"):
        folder = tmp_path / fabric
        write_new(folder, files_from_answers(Answers("demo", "lab", "colo", "NL", "h200", nodes, fabric, tenants)))
        assert prepare(folder / "factory.yaml").stacks


@pytest.mark.parametrize("nodes", [1, 3, EDGE_NODES])
@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_what_flags_make_at_the_edge_can_be_built(tmp_path: Path, accelerator: str, nodes: int) -> None:
    write_new(tmp_path, files_from_answers(Answers("demo", "depot", "edge", "FR", accelerator, nodes, "none", ("a",))))
    work = prepare(tmp_path / "factory.yaml")
    assert [problem.says for problem in work.warnings if "rest on third-party" not in problem.says] == []
    text = (tmp_path / "sites" / "depot.yaml").read_text()
    for needed in ("distribution: k3s   # REPLACE", "uplink: {", "driver: "):
        assert needed in text
    assert "dedicated: false" in (tmp_path / "factory.yaml").read_text()


def test_at_the_edge_nobody_is_asked_for_a_fabric(tmp_path: Path) -> None:
    ran = call("init", tmp_path, *flags(venue="edge", fabric=None, nodes="2"))
    assert ran.code == 0, ran.err
    assert call("check", tmp_path / "factory.yaml").code == 0
    left_out = ("fabric", "region")
    given = {question.key: question.proposal for question in QUESTIONS if question.key not in left_out}
    assert completed({**given, "venue": "edge"}, ask=False).fabric == "none"


def test_what_an_edge_site_has_no_room_for_is_refused_in_words(tmp_path: Path) -> None:
    ran = call("init", tmp_path / "new", *flags(venue="edge", nodes="6"))
    assert ran.code == 1
    assert "a site of venue edge has no fabric" in ran.err
    assert f"6 nodes; a site of venue edge has {EDGE_NODES} at most" in ran.err
    assert not (tmp_path / "new").exists()


AT_AWS = {"venue": "aws", "region": "eu-north-1", "country": None, "fabric": None}


def test_flags_make_a_factory_at_aws_that_passes_its_check(tmp_path: Path) -> None:
    ran = call("init", tmp_path, *flags(**AT_AWS))
    assert ran.code == 0, ran.err
    written = yaml.safe_load((tmp_path / "sites" / "lab.yaml").read_text())
    assert written["aws"]["rented_nodes"][0]["instance_type"] == "p5en.48xlarge"
    assert call("check", tmp_path / "factory.yaml").code == 0
    pool = yaml.safe_load((tmp_path / "factory.yaml").read_text())["parts"][0]
    assert (pool["nodes"], pool["fabric"]) == (4, "rdma")


@pytest.mark.parametrize("region", regions())
def test_a_site_can_be_begun_in_every_region_that_is_read_up_on(region: str) -> None:
    site = AwsSite.model_validate(yaml.safe_load(aws_site_text("lab", region)))
    found = plan_site([{"kind": "cluster", "name": "cluster"}], place_of(site, TRAIN))
    assert [problem.says for problem in found.errors] == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"region": None}, "--region missing"),
        ({"region": ""}, "--region missing"),
        ({"region": "eu-nowhere-1"}, "is not a region of AWS that is read up on"),
        ({"country": "DE"}, "eu-north-1 is in SE, not in DE"),
        ({"fabric": "roce"}, "a site of venue aws has no fabric roce"),
        ({"region": "eu-central-1"}, "no source says that eu-central-1 sells h200 with EFA"),
        ({"region": "eu-central-1"}, "the nearest that sells p5en.48xlarge on-demand is eu-north-1 (SE)"),
        ({"venue": "colo", "country": "SE", "fabric": "none"}, "a site of venue colo is in no region"),
        ({"venue": "colo", "country": "SE", "fabric": "efa", "region": None}, "a site of venue colo has no fabric efa"),
    ],
)
def test_what_a_region_and_a_venue_exclude_is_refused(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    ran = call("init", tmp_path / "new", *flags(**{**AT_AWS, **changes}))
    assert ran.code == 1
    assert says in ran.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("region", ["eu-north-1", "us-east-1"])
@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_what_flags_make_at_aws_can_be_built_or_is_refused_with_where_it_can(
    tmp_path: Path, accelerator: str, region: str
) -> None:
    ran = call("init", tmp_path, *flags(**{**AT_AWS, "region": region}, accelerator=accelerator))
    if ran.code:
        assert "the nearest that sells" in ran.err or "no source names a region that does" in ran.err
        return
    work = prepare(tmp_path / "factory.yaml")
    assert {stack.layer for stack in work.stacks.values()} == {"base", "platform"}


def test_one_node_and_cards_without_a_baseboard_get_no_fabric_unless_it_is_asked_for(tmp_path: Path) -> None:
    given = {**FLAGS, **{f"--{name}": value for name, value in AT_AWS.items()}}
    texts = {name.removeprefix("--"): value for name, value in given.items() if value and name != "--tenant"}
    texts["tenants"] = "research"
    assert completed(texts, ask=False).fabric == "efa"
    assert completed({**texts, "nodes": "1"}, ask=False).fabric == "none"
    assert completed({**texts, "accelerator": "l4"}, ask=False).fabric == "none"


def test_every_kind_of_place_can_be_begun_with() -> None:
    (choice,) = [each.type for each in init.params if each.name == "venue"]
    assert isinstance(choice, click.Choice)
    assert set(choice.choices) == set(DRAFTED)


def test_flags_alone_are_enough_and_the_result_passes_its_check(tmp_path: Path) -> None:
    ran = call("init", tmp_path, *flags(), "--tenant", "product", "--format", "json")
    assert ran.code == 0
    names = ["aifactory.yaml", "factory.yaml", "sites/lab.yaml"]
    assert json.loads(ran.out) == {"schema": "aifactory-init/v1", "files": [str(tmp_path / name) for name in names]}
    assert ran.err == ""
    assert sorted(files_below(tmp_path)) == names
    assert call("check", tmp_path / "factory.yaml").code == 0
    assert "REPLACE" in (tmp_path / "sites" / "lab.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "Demo"}, '"Demo" is not a name'),
        ({"name": "x" * 41}, "is not a name"),
        ({"name": "null"}, "is a word of YAML"),
        ({"site": "a.b"}, '"a.b" is not a name'),
        ({"country": "XX"}, '"XX" is not a country'),
        ({"country": "de"}, 'did you mean "DE"?'),
        ({"accelerator": "b20"}, 'did you mean "b200"?'),
        ({"accelerator": "gaudi3"}, '"gaudi3" is not a GPU that pools run'),
        ({"accelerator": "gb200"}, '"gb200" is not a GPU that pools run'),
        ({"tenant": "A"}, '"A" is not a name'),
        ({"tenant": "a,a"}, "a tenant is named twice"),
        ({"tenant": ","}, "no tenant is named"),
        ({"accelerator": "l4", "nodes": "1", "tenant": "a,b,c,d,e"}, "5 tenants share 4 GPUs"),
    ],
)
def test_a_wrong_flag_is_refused_and_nothing_is_written(tmp_path: Path, change: dict[str, str], says: str) -> None:
    ran = call("init", tmp_path / "new", *flags(**change))
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert not (tmp_path / "new").exists()


def test_without_a_terminal_missing_answers_are_named_by_their_flags(tmp_path: Path) -> None:
    ran = call("init", tmp_path / "new", *flags(country=None, tenant=None))
    assert ran.code == 1
    assert ran.err.startswith("--country, --tenant missing, and no terminal to ask at\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("there", ["aifactory.yaml", "factory.yaml", "sites/lab.yaml"])
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, there: str, kind: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_text("mine")
    before = files_below(tmp_path)
    ran = call("init", tmp_path, *flags())
    assert ran.code == 1
    assert f"{path} exists already" in ran.err
    assert files_below(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "sites").write_text("a file where the folder of sites should be")
    ran = call("init", tmp_path, *flags())
    assert ran.code == 1
    assert f"{tmp_path} can't be written" in ran.err
    assert list(files_below(tmp_path)) == ["sites"]


def test_an_unknown_example_gets_the_nearest(tmp_path: Path) -> None:
    ran = call("init", tmp_path / "new", "--from", "training-rocee")
    assert ran.code == 1
    assert 'did you mean "training-roce"?' in ran.err


class Terminal:
    """A terminal with `init` on it, to type answers into."""

    def __init__(self, *words: object) -> None:
        self.main, other = pty.openpty()
        self.run = subprocess.Popen(
            [COMMAND, "init", *map(str, words)],
            stdin=other,
            stdout=subprocess.PIPE,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.shown = ""

    def asked(self, words: str) -> None:
        """Wait for a question."""
        while words not in self.shown:
            assert select.select([self.main], [], [], 60)[0], self.shown
            self.shown += os.read(self.main, 4096).decode()

    def answer(self, question: str, text: str) -> None:
        """Answer a question."""
        self.asked(question)
        self.shown = ""
        os.write(self.main, f"{text}\n".encode())

    def end(self) -> tuple[int, str]:
        """Exit code and stdout."""
        out, _ = self.run.communicate(timeout=60)
        os.close(self.main)
        return self.run.returncode, out.decode()


def test_at_a_terminal_questions_are_asked_and_return_takes_the_proposal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for question in (each for each in QUESTIONS if each.key != "region"):
        terminal.answer(f"{question.words} [{question.proposal}]: ", "")
    assert terminal.end() == (
        0,
        "".join(f"{tmp_path / name}\n" for name in ("aifactory.yaml", "factory.yaml", "sites/dc1.yaml")),
    )
    assert call("check", tmp_path / "factory.yaml").code == 0


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, *flags(country=None, nodes=None))
    terminal.answer("Country of the site", "Germany")
    terminal.asked('Error: "Germany" is not a country.')
    terminal.answer("Country of the site, two letters [DE]: ", "FI")
    terminal.answer("GPU nodes of the site", "many")
    terminal.asked('Error: "many" is not a number of nodes. 1 to 512')
    terminal.answer("GPU nodes of the site [4]: ", "2")
    assert terminal.end()[0] == 0
    assert "country: FI" in (tmp_path / "sites" / "lab.yaml").read_text()


def test_the_number_of_gpus_is_sourced_where_it_can_be() -> None:
    answers = Answers("demo", "lab", "colo", "NL", "l4", 1, "none", ("a",))
    assert gpus_per_node(answers) == 4
    assert "gpus_per_node: 4" in site_text(answers)
    assert "workload: inference" in factory_text(answers)


def test_answers_are_checked_all_at_once() -> None:
    with pytest.raises(Refused) as raised:
        completed({"name": "A", "site": "B"} | {q.key: q.proposal for q in QUESTIONS[2:]}, ask=False)
    assert [problem.says for problem in raised.value.problems] == ['"A" is not a name', '"B" is not a name']
