"""A site whose cluster the base makes has two stacks, and the base hands the platform what only AWS knows."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import pytest

from aifactory.components.rows import CloudRow, HelmRow, HostRow, KubernetesRow, Row
from aifactory.components.values import Format, Json, Ref, SecretRef, canonical_json, refs
from aifactory.stacks.assembly.handing import key, placeholder, placeholder_of, taken_in, tree_taken_in
from aifactory.stacks.assembly.rowset import HANDOFF, HANDOFF_SCHEMA, CloudEntry, RowSet, from_data, row_set, to_data
from aifactory.stacks.assembly.stack import Stack, linked
from aifactory.stacks.assembly.trees import references
from aifactory.stacks.render.folder import stack_files
from support.aws_sites import ACCOUNT, base_rows, planned
from support.planning import Planned, plan_site
from support.proving.aws_schema import output
from support.stacking import MAKE, origin, release, stack_of

CLUSTER = "aws:eks/cluster:Cluster/cluster"
VPC = "aws:ec2/vpc:Vpc/cluster"
HANDED = (
    Ref(VPC, "id"),
    Ref(CLUSTER, "certificateAuthority.data"),
    Ref(CLUSTER, "endpoint"),
    Ref(CLUSTER, "name"),
)
VALUES = {
    f"{VPC}#id": "vpc-0123456789abcdef0",
    f"{CLUSTER}#certificateAuthority.data": "Y2E=",
    f"{CLUSTER}#endpoint": "https://0123.gr7.eu-north-1.eks.amazonaws.com",
    f"{CLUSTER}#name": "demo-sto-lab",
}
CONTROLLER = "Release/aws-load-balancer-controller/aws-load-balancer-controller"
ID = Ref("aws:ec2/vpc:Vpc/a", "id")
ARN = Ref("aws:iam/role:Role/a", "arn")
KNOWN = {key(ID): "vpc-1"}


@cache
def stockholm() -> Planned:
    return planned()


@cache
def layers() -> tuple[Stack, Stack]:
    base, platform = stockholm().stacks
    return base, platform


def platform_rows() -> RowSet:
    return row_set(layers()[1], "sha256:plan")


def through_json(rows: RowSet) -> RowSet:
    return from_data(json.loads(json.dumps(to_data(rows))))


def trees(rows: RowSet) -> list[Any]:
    """All that the cluster is sent, and the way to it."""
    found: list[Any] = [rows.cluster.kubeconfig]
    for row in rows.rows:
        if isinstance(row, KubernetesRow):
            found.append(row.body)
        elif isinstance(row, HelmRow):
            found.append(row.values)
    return found


def test_a_base_comes_before_its_platform_and_each_has_its_own_rows() -> None:
    base, platform = layers()
    assert (base.name, base.layer) == ("demo-sto-lab-base", "base")
    assert (platform.name, platform.layer) == ("demo-sto-lab-platform", "platform")
    assert base.rows
    assert list(base.cloud_rows) == list(base.rows)
    assert list(platform.cloud_rows) == []
    assert CONTROLLER in platform.by_id
    assert not set(base.by_id) & set(platform.by_id)


def test_no_row_waits_for_one_of_the_other_layer() -> None:
    for stack in layers():
        for row in stack.rows:
            assert set(row.after) <= set(stack.by_id), row.id


def test_a_cluster_that_is_given_has_a_platform_alone() -> None:
    (only,) = plan_site([{"kind": "cluster", "name": "cluster"}]).stacks
    assert (only.layer, only.base_digest, only.handed) == ("platform", "", ())
    rows = row_set(only, "sha256:plan")
    assert (rows.awaits, rows.cloud, rows.cluster.kubeconfig) == ((), None, None)
    assert not {"layer", "cloud", "awaits", "base_digest"} & set(to_data(rows)), "its rows.json is as it ever was"


def test_the_digest_is_that_of_the_rows_of_the_base_as_they_are_written() -> None:
    base, platform = layers()
    written = canonical_json(to_data(row_set(base, "sha256:plan"))["rows"])
    assert base.base_digest == f"sha256:{hashlib.sha256(written.encode()).hexdigest()}"
    assert platform.base_digest == base.base_digest


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, False),
        ({"reached_from": [{"networks": ["10.1.0.0/16"], "through": "tgw-0123456789abcdef0"}]}, True),
        ({"system_nodes": {"instance_type": "m8i.2xlarge"}}, True),
        ({"cost_centre": "ai-42"}, True),
    ],
)
def test_another_base_has_another_digest(changes: dict[str, Any], changed: bool) -> None:
    assert (planned(**changes).stacks[0].base_digest != layers()[0].base_digest) == changed


def test_handed_over_is_the_way_to_the_cluster_and_what_rows_refer_to() -> None:
    base, platform = layers()
    assert base.handed == platform.handed == HANDED
    used = {ref for found in references(dict(platform.by_id)).values() for ref in found if ref.row in base.by_id}
    assert used == {Ref(VPC, "id")}


@pytest.mark.parametrize("ref", HANDED, ids=key)
def test_what_is_handed_over_is_an_output_that_aws_gives_as_text(ref: Ref) -> None:
    found = output(base_rows(stockholm())[ref.row].token, ref.path)
    assert found is not None
    assert found.kind == "string"


def test_a_row_of_the_base_that_nobody_hands_over_is_not_referred_to() -> None:
    plan = layers()[1].plan
    reader = MAKE.kubernetes("v1", "ConfigMap", "a", body={"data": {"vpc": Ref(VPC, "id")}})
    assert linked(plan, {reader.id: reader}, "platform", HANDED).by_id[reader.id].after == ()
    with pytest.raises(KeyError, match="which is not a row of its stack"):
        linked(plan, {reader.id: reader}, "platform", HANDED[1:])


def test_a_row_waits_for_a_row_of_the_base_only_if_that_is_handed_over() -> None:
    plan = layers()[1].plan
    reader = MAKE.kubernetes("v1", "ConfigMap", "a", after=[VPC])
    assert linked(plan, {reader.id: reader}, "platform", HANDED).by_id[reader.id].after == ()
    with pytest.raises(KeyError, match=f"waits for {VPC}"):
        linked(plan, {reader.id: reader}, "platform", HANDED[1:])


def test_files_hold_a_placeholder_that_no_cloud_would_take() -> None:
    platform = layers()[1]
    tree: Any = platform.plain_tree(platform.by_id[CONTROLLER])  # type: ignore[arg-type]  # a release
    assert tree["vpcId"] == "${aws:ec2/vpc:Vpc/cluster#id}"
    files = dict(stack_files(platform, origin()))
    assert b"vpcId: ${aws:ec2/vpc:Vpc/cluster#id}\n" in files["helm/aws-load-balancer-controller.yaml"]


def test_the_platform_awaits_all_that_is_handed_over_and_the_base_gives_it() -> None:
    base = row_set(layers()[0], "sha256:plan")
    assert platform_rows().awaits == tuple(VALUES)
    assert (base.awaits, base.cloud) == ((), CloudEntry("aws", ACCOUNT, "eu-north-1"))
    assert base.outputs[HANDOFF] == {
        "schema": HANDOFF_SCHEMA,
        "stack": "demo-sto-lab-base",
        "base_digest": layers()[1].base_digest,
        "values": dict(zip(VALUES, HANDED, strict=True)),
    }
    assert base.cluster.kubeconfig is None


def test_with_what_is_handed_over_nothing_of_the_base_is_unknown() -> None:
    before = platform_rows()
    after = before.with_handed({**VALUES, "another": "is left aside"})
    assert after.awaits == ()
    assert {ref for tree in trees(before) for ref in refs(tree)} >= set(HANDED)
    assert not {ref for tree in trees(after) for ref in refs(tree)} & set(HANDED)
    (controller,) = [row for row in after.rows if isinstance(row, HelmRow)]
    assert controller.values["vpcId"] == "vpc-0123456789abcdef0"
    assert before == platform_rows(), "the rows that were planned stay as they are"


def test_the_kubeconfig_of_a_cluster_that_is_made_signs_in_by_a_command() -> None:
    config: Any = platform_rows().with_handed(VALUES).cluster.kubeconfig
    (cluster,) = config["clusters"]
    assert cluster["cluster"] == {
        "server": "https://0123.gr7.eu-north-1.eks.amazonaws.com",
        "certificate-authority-data": "Y2E=",
    }
    (user,) = config["users"]
    assert list(user["user"]) == ["exec"], "no token, no key"
    arguments = user["user"]["exec"]["args"]
    assert arguments[arguments.index("--cluster-name") + 1] == "demo-sto-lab"
    assert arguments[arguments.index("--region") + 1] == "eu-north-1"


@pytest.mark.parametrize("missing", VALUES)
def test_a_platform_takes_in_all_or_nothing(missing: str) -> None:
    given = {name: value for name, value in VALUES.items() if name != missing}
    with pytest.raises(KeyError, match=missing.rpartition("#")[2]):
        platform_rows().with_handed(given)


@pytest.mark.parametrize("layer", [0, 1], ids=["base", "platform"])
def test_both_layers_survive_json(layer: int) -> None:
    rows = row_set(layers()[layer], "sha256:plan")
    assert to_data(through_json(rows)) == to_data(rows)
    assert through_json(rows) == rows


def test_a_platform_with_what_is_handed_over_survives_json() -> None:
    rows = platform_rows().with_handed(VALUES)
    assert through_json(rows) == rows


@pytest.mark.parametrize(
    ("tree", "taken"),
    [
        (ID, "vpc-1"),
        (ARN, ARN),
        ({"a": [ID, 1, None, True], "b": (ID,)}, {"a": ["vpc-1", 1, None, True], "b": ["vpc-1"]}),
        (Format(("in ", ID)), "in vpc-1"),
        (Format((ID, " as ", ARN)), Format(("vpc-1", " as ", ARN))),
        (Json({"z": 1, "a": [ID]}), '{"a":["vpc-1"],"z":1}'),
        (Json({"a": Format(("x", ID))}), '{"a":"xvpc-1"}'),
        (Json({"a": ID, "b": ARN}), Json({"a": "vpc-1", "b": ARN})),
        (Json({"a": Json([ID])}), '{"a":"[\\"vpc-1\\"]"}'),
        (Json({"a": SecretRef("s", "k"), "b": ID}), Json({"a": SecretRef("s", "k"), "b": "vpc-1"})),
        (SecretRef("s", "k"), SecretRef("s", "k")),
        ("vpc", "vpc"),
    ],
)
def test_references_are_taken_in_wherever_they_stand(tree: object, taken: object) -> None:
    assert tree_taken_in(tree, KNOWN) == taken


@pytest.mark.parametrize(
    ("row", "taken"),
    [
        (
            MAKE.kubernetes("v1", "ConfigMap", "a", body={"data": {"x": ID}}),
            MAKE.kubernetes("v1", "ConfigMap", "a", body={"data": {"x": "vpc-1"}}),
        ),
        (release("op", values={"x": [ID]}), release("op", values={"x": ["vpc-1"]})),
        (
            HostRow("Host/a", "p", ("n",), "/etc/x", "${x}", "why"),
            HostRow("Host/a", "p", ("n",), "/etc/x", "${x}", "why"),
        ),
        (
            CloudRow("t/a", "p", "aws:ec2/subnet:Subnet", "a", {"vpcId": ID}),
            CloudRow("t/a", "p", "aws:ec2/subnet:Subnet", "a", {"vpcId": ID}),
        ),
    ],
    ids=["object", "release", "file", "resource of the cloud"],
)
def test_rows_of_the_cluster_take_in_values_and_others_stay(row: Row, taken: Row) -> None:
    assert taken_in(row, KNOWN) == taken


def test_a_placeholder_names_the_output_that_it_stands_for() -> None:
    assert placeholder(ID) == placeholder_of(key(ID)) == "${aws:ec2/vpc:Vpc/a#id}"


def test_rows_made_by_hand_await_nothing() -> None:
    assert row_set(stack_of(MAKE.kubernetes("v1", "Namespace", "a")), "sha256:plan").awaits == ()
