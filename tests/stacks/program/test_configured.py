"""The root project: its settings name what it deploys."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pulumi
import pytest
import yaml

from aifactory.stacks.program.configured import register_configured
from aifactory.stacks.program.identity import MINIMUM_ENGINE, PROJECT
from support.recorder import Recorded, record
from support.shipped import ROOT

STACK = "training-roce-fra-dc1-platform"
SETTINGS = {
    "aifactory:blueprint": "blueprints/library/training-roce.yaml",
    "aifactory:site": "fra-dc1",
}


def registered(stack: str = STACK, **settings: str) -> Recorded:
    def program() -> None:
        register_configured(ROOT)

    named = {f"aifactory:{name}": value for name, value in settings.items()}
    return record(program, stack=stack, config={**SETTINGS, **named})


def test_the_program_of_the_root_project_registers_what_its_settings_name() -> None:
    def program() -> None:
        runpy.run_path(str(ROOT / "stacks" / "__main__.py"))

    assert record(program, stack=STACK, config=SETTINGS) == registered()


def test_the_root_project_and_the_plugin_name_their_program_and_environment() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    plugin = yaml.safe_load((ROOT / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert project["name"] == PROJECT
    assert (ROOT / project["main"] / "__main__.py").is_file()
    assert set(project["config"]) == set(SETTINGS)
    assert (ROOT / "__main__.py").is_file()
    for described in (project, plugin):
        assert described["requiredPulumiVersion"] == f">={MINIMUM_ENGINE}"
        assert described["runtime"]["options"] == {"toolchain": "pip", "virtualenv": ".venv"}


def test_parameters_of_the_settings_are_a_map() -> None:
    found = registered(parameters=json.dumps({"pretrain_nodes": 2}))
    assert found.outputs["plan_digest"] != registered().outputs["plan_digest"]


def test_a_kubeconfig_of_the_settings_stands_in_for_the_sites() -> None:
    (provider,) = registered(kubeconfig="/ci/kubeconfig").of_type("pulumi:providers:kubernetes")
    assert provider.inputs["kubeconfig"] == "/ci/kubeconfig"


def test_problems_of_the_blueprint_are_a_message() -> None:
    with pytest.raises(pulumi.RunError, match="can't be built:"):
        registered(site="nowhere")


def test_a_missing_setting_is_named() -> None:
    def program() -> None:
        register_configured(Path())

    with pytest.raises(pulumi.ConfigMissingError, match="aifactory:blueprint"):
        record(program, stack=STACK)


def test_another_stack_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=f"pulumi stack select {STACK}"):
        registered(stack="dev")
