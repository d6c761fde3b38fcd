"""What is read from the SDK's source is what the SDK says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.proving.aws_schema import UnknownToken, fields, output, resource

CLUSTER = "aws:eks/cluster:Cluster"
TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("token", "path", "kind"),
    [
        (CLUSTER, "arn", "string"),
        (CLUSTER, "id", "string"),
        (CLUSTER, "vpcConfig.clusterSecurityGroupId", "string"),
        (CLUSTER, "certificateAuthority.data", "string"),
        (CLUSTER, "identities.0.oidcs.0.issuer", "string"),
        (CLUSTER, "identities.first", None),
        (CLUSTER, "arn.data", None),
        (CLUSTER, "oidcIssuer", None),
        ("aws:ec2/launchTemplate:LaunchTemplate", "latestVersion", "integer"),
        ("aws:ec2/vpc:Vpc", "enableDnsHostnames", "boolean"),
        ("aws:ec2/vpc:Vpc", "tagsAll.name", "string"),
        ("aws:fsx/lustreFileSystem:LustreFileSystem", "networkInterfaceIds", "array of string"),
    ],
)
def test_an_output_has_the_type_that_the_sdk_gives_it(token: str, path: str, kind: str | None) -> None:
    found = output(token, path)
    assert (str(found) if found else None) == kind


@pytest.mark.parametrize(
    ("token", "required", "optional"),
    [
        (CLUSTER, {"roleArn", "vpcConfig"}, {"name", "version", "tags"}),
        ("aws:eks/nodeGroup:NodeGroup", {"clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"}, {"amiType"}),
        # Named like one of its blocks, so that its own inputs have another name in the SDK.
        ("aws:s3/bucketVersioning:BucketVersioning", {"bucket", "versioningConfiguration"}, {"mfa"}),
        ("pulumi:providers:aws", set(), {"region", "allowedAccountIds", "defaultTags"}),
    ],
)
def test_required_is_what_the_sdk_wants(token: str, required: set[str], optional: set[str]) -> None:
    inputs = resource(token).inputs
    assert {name for name, each in inputs.items() if each.required} == required
    assert optional <= inputs.keys()


def test_blocks_have_their_own_properties() -> None:
    config = fields(resource(CLUSTER).inputs["vpcConfig"].type)
    assert config["subnetIds"].required
    assert str(config["subnetIds"].type) == "array of string"
    assert not config["endpointPrivateAccess"].required


def test_only_what_takes_a_map_of_tags_is_taggable() -> None:
    taggable = {
        token: resource(token).taggable
        for token in (CLUSTER, "aws:iam/rolePolicy:RolePolicy", "aws:autoscaling/group:Group")
    }
    assert list(taggable.values()) == [True, False, False]


def test_a_token_that_the_sdk_has_not_is_told() -> None:
    with pytest.raises(UnknownToken, match="aws:eks/cluster:Klaster is no resource of pulumi-aws 7"):
        resource("aws:eks/cluster:Klaster")


def test_the_sdk_is_never_imported() -> None:
    program = (
        "import sys; from support.proving.aws_rows import check_rows; from support.proving.aws_samples import base;"
        "check_rows(base()[:2]); sys.exit('pulumi_aws' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=TESTS, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
