"""`aifactory doctor`: what a machine has, asked of tools that tests put on PATH."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from aifactory.cli import machine
from aifactory.cli.calling import caller_problems
from aifactory.cli.machine import Check, examined
from aifactory.cli.work import prepare
from aifactory.components.catalog import cache
from aifactory.stacks.live.account import Account, Declined
from support.aws_sites import ACCOUNT, aws_site_data
from support.command import call
from support.planning import site_data
from support.signed_in import signed_in

TOOLS = {
    "pulumi": "echo v3.255.0",
    "pulumi-language-python": "exit 1",
    "kubectl": "echo 'Client Version: v1.36.1'",
    "helm": "echo v3.19.0+g0123456",
}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with every tool, and an empty home of Pulumi."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in TOOLS.items():
        _put(folder, name, script)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    # A process that reads the facts makes it; this one may have read them before it got a cache of its own.
    own = cache.folder()
    assert own is not None
    own.mkdir(parents=True, exist_ok=True)
    return folder


def _put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def check(name: str) -> Check:
    """One check by its name."""
    return next(each for each in examined() if each.name == name)


def test_a_machine_with_everything_is_ok(tools: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "pulumi" / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}"
    plugin.mkdir(parents=True)
    (plugin / "pulumi-resource-kubernetes").write_text("")
    checks = examined()
    assert {each.state for each in checks} == {"ok"}, checks
    assert {each.name: each.found for each in checks}.items() >= {
        "pulumi": "v3.255.0",
        "kubectl": "v1.36.1",
        "helm": "v3.19.0",
        "pulumi-resource-kubernetes": f"v{version('pulumi-kubernetes')}",
    }.items()
    assert call("doctor").code == 0


def test_a_tool_that_is_missing_is_shown_with_what_needs_it_and_is_no_failure(tools: Path) -> None:
    (tools / "helm").unlink()
    found = check("helm")
    assert (found.state, found.found) == ("missing", "not on PATH")
    ran = call("doctor")
    assert ran.code == 0
    assert "missing  helm: not on PATH\n         needed by apply.sh\n" in ran.out


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo v3.1.0", "v3.1.0 is too old"),
        ("echo nothing", "tells no version"),
        ("exit 1", "tells no version"),
    ],
)
def test_a_tool_that_does_not_fit_is_missing(tools: Path, script: str, found: str) -> None:
    _put(tools, "pulumi", script)
    assert (check("pulumi").state, check("pulumi").found) == ("missing", found)


def test_a_tool_that_does_not_run_is_missing(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools / "pulumi").write_bytes(b"\x7fELF no program")
    assert check("pulumi").found == "does not run: OSError"
    monkeypatch.setattr(machine, "_ASK_S", 0.05)
    _put(tools, "pulumi", "sleep 5")
    assert check("pulumi").found == "does not run: TimeoutExpired"


def test_a_plugin_of_another_version_is_not_the_one_that_is_needed(tools: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pulumi" / "plugins" / "resource-kubernetes-v4.0.0"
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-kubernetes").write_text("")
    found = check("pulumi-resource-kubernetes")
    assert found.state == "missing"
    assert f"pulumi plugin install resource kubernetes {version('pulumi-kubernetes')}" in found.advice
    _put(tools, "pulumi-resource-kubernetes", "")
    assert check("pulumi-resource-kubernetes").state == "ok"


def test_a_package_that_is_missing_breaks_the_tool(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        if name == "pulumi-kubernetes":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(machine, "version", gone)
    ran = call("doctor")
    assert ran.code == 1
    assert "broken   package pulumi-kubernetes: not installed\n         pip install ai-factory-blueprints" in ran.out
    assert check("pulumi-resource-kubernetes").state == "missing"


@pytest.mark.parametrize(
    ("cache", "state", "found"),
    [("", "ok", "aifactory/catalog"), ("/proc/nowhere", "missing", "can't be written")],
)
def test_a_cache_that_cannot_be_used_is_told(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str, state: str, found: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", cache or str(tmp_path))
    (tmp_path / "aifactory" / "catalog").mkdir(parents=True)
    assert check("cache of facts").state == state
    assert found in check("cache of facts").found


def test_without_a_home_there_is_no_cache(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aifactory.components.catalog.cache.folder", lambda: None)
    assert check("cache of facts") == Check(
        "cache of facts",
        "missing",
        "no home folder",
        "facts are parsed at every start, which takes longer; set XDG_CACHE_HOME to a folder of yours",
    )


BLUEPRINT = (
    "aifactory: v1\nname: demo\nplacement: {core: {sites: [sto-lab]}}\nparts:\n"
    "  - {kind: cluster, name: cluster, capabilities: [lws]}\n"
)


@pytest.fixture
def blueprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A blueprint that asks for a cluster at a site at AWS, and a machine without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    folder = tmp_path / "project"
    (folder / "sites").mkdir(parents=True)
    (folder / "aifactory.yaml").write_text("aifactory: v1\n")
    (folder / "factory.yaml").write_text(BLUEPRINT)
    (folder / "sites" / "sto-lab.yaml").write_text(json.dumps(aws_site_data()))
    return folder / "factory.yaml"


@pytest.fixture
def declining(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what moto knows too little of be declined, as an account may."""
    genuine = Account.every

    def every(account: Account, service: str, *asked: str, **arguments: Any) -> list[Any]:
        if service == "eks" or "describe_vpc_endpoint_services" in asked:  # which moto knows too little of
            raise Declined("AccessDeniedException", "AWS answers AccessDeniedException", "let these credentials do it")
        return genuine(account, service, *asked, **arguments)

    monkeypatch.setattr(Account, "every", every)


def test_without_credentials_an_account_is_not_asked_and_that_is_no_failure(tools: Path, blueprint: Path) -> None:
    ran = call("doctor", "--live", blueprint)
    assert ran.code == 0, ran.err
    assert "missing  sto-lab: account: not asked, there are no credentials of AWS here\n" in ran.out


@pytest.mark.usefixtures("declining")
def test_an_account_is_held_against_its_site(tools: Path, blueprint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-of-an-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-a-secret-key")
    with mock_aws():
        ran = call("doctor", "--live", blueprint, "--site", "sto-lab", "--format", "json")
    assert ran.code == 1
    found = {each["name"]: each for each in json.loads(ran.out)["checks"]}
    assert found["sto-lab: account"]["state"] == "broken"
    assert found["sto-lab: zone eu-north-1a"]["state"] == "ok"
    assert found["sto-lab: copies of images"]["state"] == "missing"
    unseen = found["sto-lab: Kubernetes 1.35"]
    assert (unseen["state"], unseen["found"]) == ("missing", "not seen: AWS answers AccessDeniedException")
    assert "canary-of-a-secret-key" not in ran.out + ran.err
    assert "canary-of-an-access-key" not in ran.out + ran.err


@pytest.mark.usefixtures("declining")
@pytest.mark.parametrize("account", [ACCOUNT, "444455556666"])
def test_up_refuses_with_the_words_that_the_doctor_finds(tools: Path, blueprint: Path, account: str) -> None:
    with signed_in(f"arn:aws:iam::{account}:role/developer"):
        ran = call("doctor", "--live", blueprint, "--format", "json")
        (refused,) = caller_problems(prepare(blueprint))
    said = [(each["found"], each["advice"]) for each in json.loads(ran.out)["checks"] if each["state"] == "broken"]
    assert (refused.says, refused.hint) in said


def test_a_blueprint_without_a_site_at_aws_has_no_account(tools: Path, blueprint: Path) -> None:
    (blueprint.parent / "sites" / "sto-lab.yaml").write_text(json.dumps(site_data(site="sto-lab")))
    ran = call("doctor", "--live", blueprint)
    assert ran.code == 0
    assert "missing  accounts: no site of venue aws in this blueprint: there is no account to ask\n" in ran.out


def test_what_cannot_be_planned_is_refused_before_anybody_is_asked(tools: Path, blueprint: Path) -> None:
    (blueprint.parent / "sites" / "sto-lab.yaml").write_text(json.dumps(aws_site_data(reached_from=[])))
    ran = call("doctor", "--live", blueprint)
    assert ran.code == 1
    assert "AWS-103" in ran.err
    assert "account" not in ran.out


@pytest.mark.parametrize("words", [["--live"], ["factory.yaml"], ["--site", "sto-lab"], ["--set", "a=b"]])
def test_half_of_a_question_is_a_wrong_command_line(tools: Path, words: list[str]) -> None:
    assert call("doctor", *words).code == 2


def test_as_data_each_check_has_name_state_finding_and_advice(tools: Path) -> None:
    data = json.loads(call("doctor", "--format", "json").out)
    assert data["schema"] == "aifactory-doctor/v1"
    assert all(set(each) == {"name", "state", "found", "advice"} for each in data["checks"])
    assert {each["state"] for each in data["checks"]} <= {"ok", "missing", "broken"}
