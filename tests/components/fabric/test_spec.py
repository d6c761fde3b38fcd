"""What a blueprint may say about a fabric."""

import pytest
from pydantic import ValidationError

from aifactory.components.fabric.spec import FabricSpec


def test_every_field_of_a_fabric_has_a_default() -> None:
    spec = FabricSpec()
    assert (spec.kind, spec.name, spec.type, spec.virtual_functions) == ("fabric", "fabric", "any", 8)
    assert (spec.memory_lock, spec.nodes_at_a_time, spec.nic_configuration) == ("host", 1, True)
    assert spec.nccl.socket_interface == "eth0"


@pytest.mark.parametrize(
    "field",
    [
        {"type": "ethernet"},
        {"virtual_functions": 0},
        {"virtual_functions": 128},
        {"memory_lock": "none"},
        {"nodes_at_a_time": 0},
        {"nccl": {"debug": "INFO"}},
        {"nccl": {"ib_timeout": 32}},
        {"nccl": {"socket_interface": "eth0; rm -rf /"}},
        {"nccl": {"socket_interface": ""}},
        {"firmware": [{"nic_model": "connectx-7", "archives": []}]},
        {"firmware": [{"nic_model": "connectx-5", "archives": ["https://fw.example.com/a.zip"]}]},
        {"firmware": [{"nic_model": "connectx-7", "archives": ["https://user:secret@fw.example.com/a.zip"]}]},
        {"firmware": [{"nic_model": "connectx-7", "archives": ["https://fw.example.com/a.zip?key=secret"]}]},
    ],
)
def test_a_value_outside_its_form_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FabricSpec.model_validate(field)


def test_firmware_without_the_nic_operator_is_refused() -> None:
    entry = {"nic_model": "connectx-7", "archives": ["https://fw.example.com/a.zip"]}
    with pytest.raises(ValidationError, match="which this fabric does without"):
        FabricSpec.model_validate({"firmware": [entry], "nic_configuration": False})


def test_two_entries_for_the_firmware_of_one_model_are_refused() -> None:
    entry = {"nic_model": "connectx-7", "archives": ["https://fw.example.com/a.zip"]}
    with pytest.raises(ValidationError, match="connectx-7 is named twice"):
        FabricSpec.model_validate({"firmware": [entry, entry]})
