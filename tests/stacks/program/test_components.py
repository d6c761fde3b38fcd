"""The component library: `aifactory.AiFactory`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pulumi
import pytest

import aifactory
from aifactory.stacks.program.components import AiFactory
from support.recorder import Recorded, record
from support.shipped import LIBRARY, ROOT

ROCE = LIBRARY / "training-roce.yaml"
STACK = "training-roce-fra-dc1-platform"


def registered(**arguments: object) -> Recorded:
    def program() -> None:
        AiFactory("training-roce", **{"blueprint": ROCE, "site": "fra-dc1", **arguments})

    return record(program, stack=STACK)


def test_importing_the_package_imports_neither_pulumi_nor_a_room() -> None:
    says = (
        "import aifactory, sys; "
        "print(sorted(name for name in sys.modules if name.startswith(('pulumi', 'pydantic', 'aifactory.'))))"
    )
    printed = subprocess.run([sys.executable, "-c", says], check=True, capture_output=True, text=True)
    assert printed.stdout == "[]\n"


def test_the_package_exports_the_component_and_the_program_of_a_folder() -> None:
    assert aifactory.AiFactory is AiFactory
    assert callable(aifactory.register_folder)
    assert {"AiFactory", "register_folder"} <= set(dir(aifactory))
    with pytest.raises(AttributeError, match="no attribute 'AiFactori'"):
        aifactory.AiFactori  # type: ignore[attr-defined]  # that is the test  # noqa: B018


def test_parameters_are_taken_as_numbers_or_as_text() -> None:
    (whole,) = registered().of_type("kubernetes:jobset.x-k8s.io/v1alpha2:JobSet")
    (number,) = registered(parameters={"pretrain_nodes": 2}).of_type(whole.type)
    (text,) = registered(parameters={"pretrain_nodes": "2"}).of_type(whole.type)
    assert number.inputs == text.inputs
    assert number.inputs != whole.inputs


def test_a_kubeconfig_of_this_machine_reaches_the_provider() -> None:
    (provider,) = registered(kubeconfig="/ci/kubeconfig").of_type("pulumi:providers:kubernetes")
    assert provider.inputs["kubeconfig"] == "/ci/kubeconfig"


def test_the_component_lies_where_its_options_say() -> None:
    def program() -> None:
        outer = pulumi.ComponentResource("example:index:Outer", "outer")
        AiFactory("training-roce", ROCE, "fra-dc1", opts=pulumi.ResourceOptions(parent=outer))

    (factory,) = record(program, stack=STACK).of_type("aifactory:index:AiFactory")
    assert factory.parent.endswith("::example:index:Outer::outer")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"site": "fra-dc2"}, '"fra-dc2" is not a site of this blueprint'),
        ({"parameters": {"pool_node": 4}}, "is not a parameter of this blueprint"),
        ({"parameters": {"pool_nodes": 9}}, "wants 9 nodes"),
        ({"parameters": {"pool_nodes": 9}}, "(at fra-dc1)"),
        ({"blueprint": LIBRARY / "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_wrong_input_is_a_message_with_a_hint_and_registers_nothing(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        registered(**arguments)
    text = str(refused.value)
    assert "can't be built:" in text
    assert says in text


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    text = ROCE.read_text(encoding="utf-8").replace("h200", "h2000").replace("[train]", "[trian]")
    (tmp_path / "factory.yaml").write_text(text, encoding="utf-8")
    sites = tmp_path / "sites"
    sites.mkdir()
    for site in ("fra-dc1", "ams-colo1"):
        (sites / f"{site}.yaml").write_bytes((ROOT / "blueprints/sites" / f"{site}.yaml").read_bytes())
    with pytest.raises(pulumi.RunError) as refused:
        registered(blueprint=tmp_path / "factory.yaml")
    lines = str(refused.value).splitlines()
    assert any(line.startswith("  factory.yaml:") and "h2000" in line for line in lines)
    assert any(line.strip().startswith("hint:") for line in lines)


def test_no_stack_of_this_machine_goes_into_the_state() -> None:
    rows = [one for one in registered().resources.values() if one.type.startswith("kubernetes:")]
    assert not any(row.traced for row in rows)


def test_a_second_factory_in_one_stack_is_refused() -> None:
    def program() -> None:
        AiFactory("training-roce", ROCE, "fra-dc1")
        AiFactory("training-roce-2", ROCE, "ams-colo1")

    with pytest.raises(pulumi.RunError, match="second AiFactory of this stack, after training-roce"):
        record(program, stack=STACK)


def test_two_programs_in_one_process_have_a_factory_each() -> None:
    assert registered().resources.keys() == registered().resources.keys()
