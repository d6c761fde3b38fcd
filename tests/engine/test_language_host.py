"""Plain `pulumi` commands, as the pages show them, on the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aifactory.components.rows import ClusterRow
from support import shipped
from support.proving.cli import Cli, checkout, project
from support.shipped import ROOT

pytestmark = pytest.mark.engine

STACK = "training-roce-fra-dc1-platform"
BLUEPRINT = "blueprints/library/training-roce.yaml"
SITE = "fra-dc1"
NO_CHANGES = "pulumi preview --expect-no-changes"


def a_program(factory: str = "training-roce", site: str = SITE) -> str:
    """A program of one's own that deploys a shipped blueprint."""
    return f"""\
import aifactory
import pulumi

factory = aifactory.AiFactory("{factory}", blueprint="{shipped.LIBRARY / factory}.yaml", site="{site}")
for name, value in factory.outputs.items():
    pulumi.export(name, value)
"""


def generated(folder: Path, cli: Cli, factory: str = "training-roce", site: str = SITE) -> Path:
    """The folder of the stack, as the verb writes it."""
    cli.run(f"aifactory generate {shipped.LIBRARY / factory}.yaml --site {site} --out {folder}", ROOT)
    return folder / f"{factory}-{site}-platform"


def documented(root: Path) -> list[str]:
    """The commands that the project file of the repository names."""
    return re.findall(r"^#   (pulumi .*)$", (root / "Pulumi.yaml").read_text(encoding="utf-8"), re.MULTILINE)


def of_readme(folder: Path) -> str:
    """The commands with which the README of a folder deploys it by Pulumi, without the installation."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    found = re.search(r"### With Pulumi.*?```sh\n(.*?)```", text, re.DOTALL)
    assert found
    lines = found[1].splitlines()
    assert lines[0].startswith("pip install ai-factory-blueprints==")
    return "\n".join(lines[1:])


def test_the_root_project_is_deployed_by_the_commands_that_it_names(cli: Cli, tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    commands = documented(root)
    assert [command.split()[1] for command in commands] == ["stack", "config", "config", "preview"]
    for command in commands:
        printed = cli.run(command, root)
    assert "+ 105 to create" in printed
    cli.run("pulumi up", root)
    assert "105 unchanged" in cli.run(NO_CHANGES, root)
    refused = cli.run("pulumi destroy", root, code=1)
    assert "cannot be deleted" in refused
    assert "because it is protected" in refused
    assert len(cli.exported(root, STACK)["deployment"]["resources"]) == 105, "nothing went while a row is protected"
    cli.run("pulumi destroy --exclude-protected", root)
    left = cli.exported(root, STACK)["deployment"]["resources"]
    kinds = {each["type"].rpartition(":")[2] for each in left if each.get("protect")}
    assert kinds == {"Namespace", "PersistentVolumeClaim"}
    cli.run("pulumi state unprotect --all && pulumi destroy && pulumi stack rm", root)


def test_a_generated_folder_is_deployed_as_its_readme_says(cli: Cli, tmp_path: Path) -> None:
    folder = generated(tmp_path / "generated", cli)
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase", encoding="utf-8")
    block = of_readme(folder)
    for placeholder, file in (("/path/to/project", tmp_path / "project"), ("/path/to/passphrase", passphrase)):
        assert placeholder in block
        block = block.replace(placeholder, str(file))
    # What the README leaves to the reader's machine is not set: it says where the state lies, and how it is encrypted.
    del cli.environment["PULUMI_BACKEND_URL"], cli.environment["PULUMI_CONFIG_PASSPHRASE"]
    given = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)}
    before = set(folder.rglob("*"))
    assert "+ 105 created" in cli.run(block, folder)
    assert (tmp_path / "project" / "state" / ".pulumi").is_dir()
    assert "105 unchanged" in cli.run(NO_CHANGES, folder, **given)
    cli.run("pulumi state unprotect --all && pulumi destroy", folder, **given)
    assert "resources" not in cli.exported(folder, STACK, **given)["deployment"]
    assert {path for path in folder.rglob("*") if "__pycache__" not in path.parts} == before


@pytest.mark.parametrize(("factory", "site"), shipped.ONE_OF_EACH)
def test_all_ways_of_pulumi_give_equal_states(cli: Cli, tmp_path: Path, factory: str, site: str) -> None:
    """Equal but for times, ids of providers, the encryption, and where in a program a resource was made."""
    root, folder = checkout(tmp_path / "checkout"), generated(tmp_path / "generated", cli, factory, site)
    mine = project(tmp_path / "mine", a_program(factory, site))
    blueprint, stack = f"blueprints/library/{factory}.yaml", folder.name
    settings = f"pulumi config set blueprint {blueprint} && pulumi config set site {site}"
    states = {}
    for way, setting in ((root, settings), (folder, "true"), (mine, "true")):
        backend = {"PULUMI_BACKEND_URL": f"file://{_made(tmp_path / 'states' / way.name)}"}
        cli.run(f"pulumi stack init {stack} && {setting} && pulumi up --skip-preview", way, **backend)
        states[way.name] = cli.state(way, stack, **backend)
    cli.kubeconfig([site])
    cli.run(f"aifactory up {blueprint} --site {site} --yes", root)
    states["verb"] = cli.state(root, stack, PULUMI_BACKEND_URL=f"file://{root / 'state'}")
    deployed = [row for row in shipped.stacks()[stack].rows if isinstance(row, ClusterRow)]
    assert states["verb"].count('"urn"') > len(deployed)
    for way, text in states.items():
        assert _different(text, states["verb"]) == "", way


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _different(text: str, other: str) -> str:
    pairs = zip(text.splitlines(), other.splitlines(), strict=True)
    return "\n".join(f"- {mine}\n+ {its}" for mine, its in pairs if mine != its)


def test_the_verb_goes_on_where_a_program_stopped(cli: Cli, tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    mine = project(tmp_path / "mine", a_program())
    backend = {"PULUMI_BACKEND_URL": f"file://{_made(root / 'state')}"}
    cli.run(f"pulumi stack init {STACK} && pulumi up --skip-preview", mine, **backend)
    cli.kubeconfig([SITE])
    printed = cli.run(f"aifactory preview {BLUEPRINT} --site {SITE} --format json 2>/dev/null", root)
    (stack,) = json.loads(printed)["stacks"].values()
    assert list(stack["changes"]) == ["same"]


def test_a_program_of_ones_own_names_differs_in_those_names_alone(cli: Cli, tmp_path: Path) -> None:
    """The engine puts the project's name into every URN, and the component's into its own."""
    ours = project(tmp_path / "ours", a_program())
    mine = project(tmp_path / "mine", a_program().replace('"training-roce"', '"training"'), "my-factory")
    for folder in (ours, mine):
        cli.run(f"pulumi stack init {STACK} && pulumi up --skip-preview", folder)
    renamed = cli.state(mine, STACK).replace("my-factory", "aifactory")
    renamed = renamed.replace('aifactory:index:AiFactory::training"', 'aifactory:index:AiFactory::training-roce"')
    assert _different(_ordered(renamed), _ordered(cli.state(ours, STACK))) == ""


def _ordered(text: str) -> str:
    return "\n".join(sorted(line.removesuffix(",") for line in text.splitlines()))


def changed_by_hand(folder: Path) -> None:
    rows = folder / "rows.json"
    rows.write_text(rows.read_text(encoding="utf-8").replace('"research"', '"mine"'), encoding="utf-8")


def without_its_plan(folder: Path) -> None:
    (folder / "plan.json").unlink()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (changed_by_hand, r"rows.json in \S+ is not what was generated: its digest is sha256:\w+, and plan.json says"),
        (without_its_plan, r"plan.json can't be read in \S+ \(No such file or directory\); generate the folder again"),
    ],
    ids=["changed rows", "no plan"],
)
def test_a_folder_that_is_not_what_was_generated_is_refused_in_words(
    cli: Cli, tmp_path: Path, change: Callable[[Path], None], says: str
) -> None:
    folder = generated(tmp_path / "generated", cli)
    change(folder)
    printed = cli.run(f"pulumi stack init {STACK} && pulumi preview", folder, code=1)
    assert re.search(says, printed)
    assert "Traceback" not in printed


def test_another_stack_than_the_rows_are_for_is_refused(cli: Cli, tmp_path: Path) -> None:
    folder = generated(tmp_path / "generated", cli)
    printed = cli.run("pulumi stack init other && pulumi up", folder, code=1)
    assert f"these rows belong to stack {STACK}, and other is selected; run: pulumi stack select {STACK}" in printed
    assert "Traceback" not in printed


def test_a_blueprint_that_cant_be_built_is_refused_with_every_problem(cli: Cli, tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    cli.run(" && ".join(documented(root)[:3]), root)
    cli.run("pulumi config set --path parameters.pool_nodes 40", root)
    printed = cli.run("pulumi preview", root, code=1)
    assert f"error: {BLUEPRINT} can't be built:" in printed
    at = rf"{BLUEPRINT}:\d+:\d+: parts\[0\].nodes: pool train wants 40 nodes"
    for site, left in (("fra-dc1", 8), ("ams-colo1", 4)):
        assert re.search(rf"{at} .* {left} left \[GPU-012\] \(at {site}\)\n +hint: set nodes to {left}", printed)
    assert "Traceback" not in printed
