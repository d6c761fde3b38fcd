"""Ids, ARNs and outputs as AWS makes them, for the tokens that a base layer uses; others get plausible ones.

Sources: the `Import` section of each resource's page (what an id is) and AWS' Service Authorization Reference (ARNs).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from support.proving.aws_api import partition_of
from support.proving.aws_schema import Type, fields, resource

ACCOUNT = "111122223333"
"""An account of AWS' documentation, which no customer has."""


class Form(Struct, frozen=True):
    """How a resource is named. Both are templates over the inputs and what `_context` has."""

    id: str
    arn: str = ""
    """Without `arn:PARTITION:`."""
    outputs: Mapping[str, Any] = {}


_EC2 = "ec2:{region}:{account}"
_EKS = "eks:{region}:{account}"
_IAM = "iam::{account}"
_ELB = "elasticloadbalancing:{region}:{account}"
FORMS: dict[str, Form] = {
    "aws:autoscaling/group:Group": Form("{name}", "autoscaling:{region}:{account}:autoScalingGroup:{uuid}"),
    "aws:cloudwatch/logGroup:LogGroup": Form("{name}", "logs:{region}:{account}:log-group:{name}"),
    "aws:ebs/volume:Volume": Form("vol-{hex}", _EC2 + ":volume/{id}"),
    "aws:ec2/capacityReservation:CapacityReservation": Form("cr-{hex}", _EC2 + ":capacity-reservation/{id}"),
    "aws:ec2/eip:Eip": Form("eipalloc-{hex}", _EC2 + ":elastic-ip/{id}", {"allocationId": "{id}", "publicIp": "{ip}"}),
    "aws:ec2/flowLog:FlowLog": Form("fl-{hex}", _EC2 + ":vpc-flow-log/{id}"),
    "aws:ec2/instance:Instance": Form("i-{hex}", _EC2 + ":instance/{id}", {"privateIp": "{ip}"}),
    "aws:ec2/internetGateway:InternetGateway": Form("igw-{hex}", _EC2 + ":internet-gateway/{id}"),
    "aws:ec2/launchTemplate:LaunchTemplate": Form(
        "lt-{hex}", _EC2 + ":launch-template/{id}", {"latestVersion": 1, "defaultVersion": 1}
    ),
    "aws:ec2/natGateway:NatGateway": Form("nat-{hex}", "", {"networkInterfaceId": "eni-{hex2}", "privateIp": "{ip}"}),
    "aws:ec2/networkInterface:NetworkInterface": Form("eni-{hex}", _EC2 + ":network-interface/{id}"),
    "aws:ec2/placementGroup:PlacementGroup": Form(
        "{name}", _EC2 + ":placement-group/{name}", {"placementGroupId": "pg-{hex}"}
    ),
    "aws:ec2/route:Route": Form("r-{routeTableId}{number}", "", {"origin": "CreateRoute", "state": "active"}),
    "aws:ec2/routeTable:RouteTable": Form("rtb-{hex}", _EC2 + ":route-table/{id}"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Form("rtbassoc-{hex}"),
    "aws:ec2/securityGroup:SecurityGroup": Form("sg-{hex}", _EC2 + ":security-group/{id}"),
    "aws:ec2/securityGroupRule:SecurityGroupRule": Form("sgrule-{number}", "", {"securityGroupRuleId": "sgr-{hex}"}),
    "aws:ec2/subnet:Subnet": Form("subnet-{hex}", _EC2 + ":subnet/{id}"),
    "aws:ec2/vpc:Vpc": Form(
        "vpc-{hex}",
        _EC2 + ":vpc/{id}",
        {
            "defaultNetworkAclId": "acl-{hex2}",
            "defaultRouteTableId": "rtb-{hex2}",
            "defaultSecurityGroupId": "sg-{hex2}",
            "dhcpOptionsId": "dopt-{hex2}",
            "mainRouteTableId": "rtb-{hex2}",
        },
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Form(
        "vpce-{hex}", _EC2 + ":vpc-endpoint/{id}", {"state": "available", "prefixListId": "pl-{hex8}"}
    ),
    "aws:eks/accessEntry:AccessEntry": Form(
        "{clusterName}:{principalArn}",
        "",
        {"accessEntryArn": "arn:{partition}:" + _EKS + ":access-entry/{clusterName}/role/{account}/{uuid}"},
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Form("{clusterName}#{principalArn}#{policyArn}"),
    "aws:eks/addon:Addon": Form("{clusterName}:{addonName}", _EKS + ":addon/{clusterName}/{addonName}/{uuid}"),
    "aws:eks/cluster:Cluster": Form(
        "{name}",
        _EKS + ":cluster/{name}",
        {
            "certificateAuthority": {"data": "{ca}"},
            "endpoint": "https://{HEX32}.gr7.{region}.eks.{suffix}",
            "identities": [{"oidcs": [{"issuer": "https://oidc.eks.{region}.{suffix}/id/{HEX32}"}]}],
            "platformVersion": "eks.1",
            "status": "ACTIVE",
            "vpcConfig": {"clusterSecurityGroupId": "sg-{hex2}"},
        },
    ),
    "aws:eks/nodeGroup:NodeGroup": Form(
        "{clusterName}:{nodeGroupName}",
        _EKS + ":nodegroup/{clusterName}/{nodeGroupName}/{uuid}",
        {"resources": [{"autoscalingGroups": [{"name": "eks-{nodeGroupName}-{uuid}"}]}], "status": "ACTIVE"},
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Form(
        "a-{hex}", "", {"associationArn": "arn:{partition}:" + _EKS + ":podidentityassociation/{clusterName}/a-{hex}"}
    ),
    "aws:fsx/lustreFileSystem:LustreFileSystem": Form(
        "fs-{hex}",
        "fsx:{region}:{account}:file-system/{id}",
        {"dnsName": "{id}.fsx.{region}.{suffix}", "mountName": "{hex8}"},
    ),
    "aws:iam/instanceProfile:InstanceProfile": Form("{name}", _IAM + ":instance-profile/{name}"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Form("{arn}", _IAM + ":oidc-provider/{host}"),
    "aws:iam/policy:Policy": Form("{arn}", _IAM + ":policy/{name}"),
    "aws:iam/role:Role": Form("{name}", _IAM + ":role/{name}", {"uniqueId": "AROA{HEX16}"}),
    "aws:iam/rolePolicy:RolePolicy": Form("{role}:{name}"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Form("{role}-{policyArn}"),
    "aws:kms/alias:Alias": Form("{name}", "kms:{region}:{account}:{name}"),
    "aws:kms/key:Key": Form("{uuid}", "kms:{region}:{account}:key/{id}", {"keyId": "{id}"}),
    "aws:lb/listener:Listener": Form("{arn}", _ELB + ":listener/app/{hex}"),
    "aws:lb/loadBalancer:LoadBalancer": Form(
        "{arn}", _ELB + ":loadbalancer/{kind}/{name}/{hex}", {"dnsName": "{name}-{number}.elb.{region}.{suffix}"}
    ),
    "aws:lb/targetGroup:TargetGroup": Form("{arn}", _ELB + ":targetgroup/{name}/{hex}"),
    "aws:s3/bucket:Bucket": Form(
        "{bucket}",
        "s3:::{bucket}",
        {
            "bucketDomainName": "{bucket}.s3.{suffix}",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.{suffix}",
            "hostedZoneId": "Z{HEX16}",
        },
    ),
    "aws:sqs/queue:Queue": Form(
        "https://sqs.{region}.{suffix}/{account}/{name}",
        "sqs:{region}:{account}:{name}",
        {"url": "https://sqs.{region}.{suffix}/{account}/{name}"},
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Form("sgr-{hex}", _EC2 + ":security-group-rule/{id}"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Form("sgr-{hex}", _EC2 + ":security-group-rule/{id}"),
}


class _Context(dict[str, Any]):
    """What a template may name. What an object hasn't got is told by its name."""

    def __missing__(self, name: str) -> str:
        return f"no-{name}"


def made(token: str, inputs: Mapping[str, Any], seed: str, region: str, account: str = ACCOUNT) -> dict[str, Any]:
    """All outputs of a new object, its `id` among them. The same seed gives the same ones."""
    form = FORMS.get(token, _form_of_part(token, inputs))
    context = _context(inputs, seed, region, account)
    if form.arn:
        # An id that is the ARN can't be in it, and an ARN that has the id needs it first.
        context["id"] = "" if form.id == "{arn}" else form.id.format_map(context)
        context["arn"] = f"arn:{context['partition']}:{form.arn.format_map(context)}"
    context["id"] = form.id.format_map(context)
    given = {**inputs, **_overlaid(inputs, _filled(dict(form.outputs), context))}
    outputs = {
        name: _output(name, given, context, each.type)
        for name, each in resource(token).outputs.items()
        if name in given or each.required or name in ("arn", "region")
    }
    del outputs["urn"]  # the engine's own
    return {**outputs, "id": context["id"]}


def updated(outputs: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs after a change of inputs: what AWS decided stays, also inside a block."""
    kept = {name: value for name, value in outputs.items() if name in new or name not in old}
    for name, value in new.items():
        blocks = [each.get(name) for each in (outputs, old)]
        inside = isinstance(value, dict) and all(isinstance(block, dict) for block in blocks)
        kept[name] = updated(outputs[name], old[name], value) if inside else value
    return kept


def foreseen(token: str, inputs: Mapping[str, Any], unknown: str) -> dict[str, Any]:
    """The outputs as a preview has them: what AWS decides is `unknown`."""
    decided = FORMS.get(token, Form("")).outputs
    outputs = {
        name: inputs.get(name, unknown)
        for name, each in resource(token).outputs.items()
        if name in inputs or name in decided or each.required
    }
    for name, value in decided.items():
        block = isinstance(value, dict) and isinstance(inputs.get(name), dict)
        outputs[name] = {**inputs[name], **dict.fromkeys(value, unknown)} if block else unknown
    return {name: value for name, value in outputs.items() if name not in ("id", "urn")}


def example_arn(token: str, region: str) -> str:
    """An ARN such as an object of a token has in a region."""
    _, module, name = token.split(":")
    service = module.split("/")[0]
    form = FORMS.get(token, Form("", f"{service}:{{region}}:{{account}}:{name.lower()}/example"))
    context = _context({"name": "example", "bucket": "example"}, token, region, ACCOUNT)
    context["id"] = form.id.format_map(context)
    return f"arn:{context['partition']}:{form.arn.format_map(context)}"


def _form_of_part(token: str, inputs: Mapping[str, Any]) -> Form:
    """A part of a bucket has its name; what else has a name has that; the rest is numbered."""
    _, module, _ = token.split(":")
    service = module.split("/")[0]
    if service == "s3" and "bucket" in inputs:
        return Form("{bucket}")
    arn = f"{service}:{{region}}:{{account}}:{module.split('/')[1]}/{{id}}"
    return Form("{name}" if "name" in inputs else "{hex}", arn if "arn" in resource(token).outputs else "")


def _context(inputs: Mapping[str, Any], seed: str, region: str, account: str) -> _Context:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    other = hashlib.sha256(digest.encode()).hexdigest()
    partition = partition_of(region)
    assert partition is not None, f"{region} is no region of AWS"
    return _Context(
        {
            **inputs,
            "account": account,
            "ca": base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{digest}\n".encode()).decode(),
            "hex": "0" + digest[:16],
            "hex2": "0" + other[:16],
            "hex8": digest[:8],
            "HEX16": digest[:16].upper(),
            "HEX32": digest[:32].upper(),
            "host": str(inputs.get("url", "")).removeprefix("https://"),
            "ip": f"10.{int(digest[:2], 16)}.{int(digest[2:4], 16)}.{int(digest[4:6], 16) or 4}",
            "kind": {"network": "net"}.get(str(inputs.get("loadBalancerType")), "app"),
            "number": int(digest[:8], 16),
            "partition": partition.name,
            "region": inputs.get("region", region),
            "suffix": partition.suffix,
            "uuid": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
        }
    )


def _filled(tree: Any, context: _Context) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(value, context) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_filled(value, context) for value in tree]
    return tree.format_map(context) if isinstance(tree, str) else tree


def _overlaid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {**under.get(name, {}), **value} if isinstance(value, dict) else value for name, value in over.items()
    }


def _output(name: str, given: Mapping[str, Any], context: _Context, kind: Type) -> Any:
    if name in given:
        return _complete(given[name], kind)
    if name == "tagsAll":
        return dict(given.get("tags") or {})
    if name == "ownerId":
        return context["account"]
    return context[name] if name in ("arn", "id", "region") else _empty(kind)


def _complete(value: Any, kind: Type) -> Any:
    """A block as AWS gives it back: with what it always has."""
    if kind.kind == "object" and isinstance(value, dict):
        always = {name: _empty(each.type) for name, each in fields(kind).items() if each.required}
        return {**always, **value}
    return value


def _empty(kind: Type) -> Any:
    empty: dict[str, Any] = {"string": "", "boolean": False, "integer": 0, "number": 0, "array": [], "map": {}}
    return {} if kind.kind == "object" else empty.get(kind.kind, "")
