"""The tools look at everything that we ship, and the locks hold what the project needs."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement

from support.room_coverage import BAR_PERCENT
from support.source_tree import ROOMS, ROOT

LOCKS = {name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("run", "dev")}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and hashes of each package of a lock."""
    for block in re.findall(r"^[a-z0-9][^\n]*(?:\n[ ]+[^\n]*)*", text, re.MULTILINE):
        name, version = re.match(r"([a-z0-9.-]+)==(\S+)", block).groups()  # type: ignore[union-attr] # a lock pins
        yield name, version, " ".join(re.findall(r"--hash=sha256:[0-9a-f]{64}", block))


def test_mypy_pyright_and_coverage_look_at_every_room(project: dict[str, Any]) -> None:
    tool = project["tool"]
    assert tool["mypy"]["strict"] is True
    assert "aifactory" in tool["mypy"]["packages"]
    assert tool["pyright"]["include"] == list(ROOMS)
    assert tool["coverage"]["run"]["source"] == list(ROOMS) == sorted(BAR_PERCENT)


def test_the_rooms_that_decide_have_the_bar_of_95_percent() -> None:
    assert {room for room, bar in BAR_PERCENT.items() if bar >= 95} >= {"blueprints", "components", "stacks"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    packages = list(locked(LOCKS[lock]))
    assert len(packages) > 30
    assert [name for name, _, hashes in packages if not hashes] == []


def test_what_runs_is_locked_alike_for_users_and_developers() -> None:
    run, dev = (set(locked(text)) for text in LOCKS.values())
    assert run - dev == set()


def test_every_dependency_is_locked_within_its_bounds(project: dict[str, Any]) -> None:
    groups = project["dependency-groups"]
    wanted = {"run": project["project"]["dependencies"] + groups["build"], "dev": groups["dev"]}
    for lock, requirements in wanted.items():
        versions = {name: version for name, version, _ in locked(LOCKS[lock])}
        for requirement in map(Requirement, requirements):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            assert name in versions, f"{name} is not in requirements/{lock}.txt; run make lock"
            assert requirement.specifier.contains(versions[name], prereleases=True), f"{name} {versions[name]}"


def test_the_pins_hold_in_the_locks() -> None:
    pins = re.findall(r"^([a-z-]+)==(\S+)$", (ROOT / "requirements" / "pins.txt").read_text(), re.MULTILINE)
    assert pins
    assert set(pins) <= {(name, version) for text in LOCKS.values() for name, version, _ in locked(text)}


def test_the_large_provider_is_an_extra_that_only_developers_are_given(project: dict[str, Any]) -> None:
    extra = project["project"]["optional-dependencies"]["aws"]
    assert "pulumi-aws" not in {name for name, _, _ in locked(LOCKS["run"])}
    assert set(extra) <= set(project["dependency-groups"]["dev"]), "rows are held to the SDK that users install"


def test_every_change_not_released_yet_is_of_a_known_type(project: dict[str, Any]) -> None:
    known = {one["directory"] for one in project["tool"]["towncrier"]["type"]}
    changes = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    wrong = [name for name in changes if not re.fullmatch(rf"\+?[a-z0-9-]+\.({'|'.join(known)})\.md", name)]
    assert wrong == []
