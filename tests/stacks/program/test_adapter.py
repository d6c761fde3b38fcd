"""What the adapter registers for each thing that a row may ask for."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from msgspec.structs import replace

from aifactory.components.rows import Maker, Wave
from aifactory.stacks.assembly.rowset import CloudEntry, PartEntry, RowSet
from aifactory.stacks.program.adapter import Factory, register_stack
from support.made_up import (
    CLAIM,
    FACTORY,
    HOST,
    NAMESPACE,
    PARTS,
    PLACE,
    POLICY,
    POOL,
    PROVIDER,
    QUEUE,
    row_set,
)
from support.recorder import Recorded, Registered, record

ROOT = Path("/project")
NAMESPACE_URN = f"{PLACE}{POOL}$kubernetes:core/v1:Namespace::train/ml"
RELEASE_URN = f"{PLACE}{POOL}$kubernetes:helm.sh/v3:Release::train/ml/operator"
POLICY_URN = f"{PLACE}{POOL}$kubernetes:example.com/v1:Policy::train/rails"
CLAIM_URN = f"{PLACE}{QUEUE}$kubernetes:core/v1:PersistentVolumeClaim::teams/ml/data"


def registered(rows: RowSet, opts: pulumi.ResourceOptions | None = None) -> Recorded:
    def program() -> None:
        Factory("demo", rows, ROOT, opts=opts)

    return record(program)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    def program() -> None:
        register_stack(row_set(), ROOT)

    return record(program)


def test_rows_lie_below_their_part_and_parts_below_the_factory(recorded: Recorded) -> None:
    parents = {urn: resource.parent for urn, resource in recorded.resources.items()}
    stack = f"{PLACE}pulumi:pulumi:Stack::aifactory-demo-lab-platform"
    assert parents == {
        stack: "",
        FACTORY: stack,
        PROVIDER: FACTORY,
        f"{PLACE}{POOL}::train": FACTORY,
        f"{PLACE}{QUEUE}::teams": FACTORY,
        NAMESPACE_URN: f"{PLACE}{POOL}::train",
        RELEASE_URN: f"{PLACE}{POOL}::train",
        POLICY_URN: f"{PLACE}{POOL}::train",
        CLAIM_URN: f"{PLACE}{QUEUE}::teams",
    }


def test_every_row_uses_the_one_provider_at_the_installed_version(recorded: Recorded) -> None:
    rows = [resource for resource in recorded.resources.values() if resource.type.startswith("kubernetes:")]
    assert len(rows) == 4
    assert {row.provider for row in rows} == {PROVIDER}
    assert len({row.version for row in [*rows, recorded.resources[PROVIDER]]}) == 1


def test_a_row_waits_for_what_it_names_across_parts_but_not_for_files(recorded: Recorded) -> None:
    assert HOST.id in POLICY.after
    assert recorded.resources[POLICY_URN].dependencies == {RELEASE_URN, NAMESPACE_URN}
    assert recorded.resources[CLAIM_URN].dependencies == {NAMESPACE_URN, POLICY_URN}


def test_references_are_outputs_of_the_row_they_name(recorded: Recorded) -> None:
    spec = recorded.resources[POLICY_URN].inputs["spec"]
    assert spec == {
        "namespace": "ml",
        "target": "ns-ml-x",
        "ipam": '{"a":[true,null],"name":"ml","z":1}',
        "plain": '{"a":"ü","z":1}',
        "secret": {"name": "credentials", "key": "token"},
        "list": [1, {"inner": "ab"}],
    }
    assert recorded.resources[POLICY_URN].property_dependencies == {"spec": {NAMESPACE_URN}}


def test_a_resource_of_a_cloud_gives_outputs_that_are_no_inputs() -> None:
    maker = Maker("demo", "lab", "cluster", Wave.FOUNDATION)
    role = maker.cloud("aws:iam/role:Role", "a", {"name": "a"})
    cluster = maker.cloud("aws:eks/cluster:Cluster", "a", {"roleArn": role.output("arn")}, after=[role.id])
    base = replace(
        row_set(),
        rows=(role, cluster),
        parts=(PartEntry("cluster", "cluster", 2, ""),),
        layer="base",
        cloud=CloudEntry("aws", "111122223333", "eu-north-1"),
        outputs={"authority": cluster.output("certificateAuthority"), "id": cluster.output("id")},
    )
    found = registered(base)
    (made,) = found.of_type(role.token)
    (reader,) = found.of_type(cluster.token)
    assert made.inputs == {"name": "a"}, "what AWS alone knows isn't sent"
    assert reader.property_dependencies == {"roleArn": frozenset({made.urn})}
    assert made.urn in reader.dependencies
    (provider,) = found.of_type("pulumi:providers:aws")
    assert provider.inputs == {"allowedAccountIds": '["111122223333"]', "region": "eu-north-1"}


def test_protection_and_retention_are_those_of_the_row(recorded: Recorded) -> None:
    flags = {urn: (one.protect, one.retain_on_delete) for urn, one in recorded.resources.items()}
    assert flags[NAMESPACE_URN] == (True, False)
    assert flags[CLAIM_URN] == (True, True)
    assert {flags[urn] for urn in (RELEASE_URN, POLICY_URN, PROVIDER, FACTORY)} == {(False, False)}


def test_timeouts_are_options_and_stay_off_the_object(recorded: Recorded) -> None:
    assert recorded.resources[POLICY_URN].timeouts == {"create": "1200s", "update": "1200s"}
    assert recorded.resources[CLAIM_URN].timeouts == {"create": "90s", "update": "90s", "delete": "90s"}
    assert "timeoutSeconds" not in str(recorded.resources[POLICY_URN].inputs)


def test_outputs_are_those_of_the_rows_for_component_and_stack(recorded: Recorded) -> None:
    expected = {
        "plan_digest": "sha256:0",
        "namespaces": {"ml": "ml"},
        "releases": {"ml/operator": "1.2.3"},
    }
    assert recorded.outputs == expected
    assert recorded.component_outputs[FACTORY] == expected


def test_no_stack_of_this_machine_goes_into_the_state(recorded: Recorded) -> None:
    traced = {one.urn for one in recorded.resources.values() if one.traced}
    assert traced & {NAMESPACE_URN, RELEASE_URN, POLICY_URN, CLAIM_URN, FACTORY, f"{PLACE}{POOL}::train"} == set()


def test_protection_of_the_factory_reaches_every_row() -> None:
    recorded = registered(row_set(), pulumi.ResourceOptions(protect=True))
    assert all(one.protect for one in recorded.resources.values() if one.parent)


def aliases(resource: Registered) -> list[tuple[str, str]]:
    return [(alias["spec"]["name"], alias["spec"].get("parentUrn", "")) for alias in resource.aliases]


def test_a_renamed_part_is_known_by_its_former_name_and_its_objects_stay() -> None:
    train = PartEntry("train-2", "gpu-node-pool", 1, "train")
    moved = tuple(replace(row, part="train-2") if row.part == "train" else row for row in row_set().rows)
    recorded = registered(row_set(parts=(train, PARTS[1]), rows=moved))
    before = registered(row_set())

    def own_names(found: Recorded) -> set[str]:
        return {str(one.inputs["metadata"]["name"]) for one in found.resources.values() if "metadata" in one.inputs}

    assert own_names(recorded) == own_names(before)
    part = recorded.resources[f"{PLACE}{POOL}::train-2"]
    assert aliases(part) == [("train", "")]
    for urn in (NAMESPACE_URN, RELEASE_URN, POLICY_URN):
        now = recorded.resources[urn.replace("::train/", "::train-2/")]
        assert aliases(now) == [(urn.rpartition("::")[2], f"{PLACE}{POOL}::train")]
    assert aliases(recorded.resources[CLAIM_URN]) == []


def test_a_row_that_waits_for_a_later_one_is_a_defect() -> None:
    with pytest.raises(KeyError, match="PersistentVolumeClaim"):
        registered(row_set(rows=(replace(NAMESPACE, after=(CLAIM.id,)), CLAIM), outputs={}))
