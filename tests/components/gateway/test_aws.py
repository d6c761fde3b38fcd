"""A gateway at AWS: the venue's load balancer, and Bedrock by the identity of its proxies."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from aifactory.components.offers import OperatorNote
from aifactory.components.rows import CloudRow
from aifactory.components.values import Ref, plain
from support.aws_doors import ENDPOINTS, NOVA, RESIDENCY, bedrock, door, doors, model, objects
from support.aws_sites import ACCOUNT, base_rows
from support.gateways import planned as planned_elsewhere
from support.planning import Planned
from support.proving.aws_policies import check_policies, policies
from support.proving.aws_rows import check_rows
from support.schemas import Schemas

PROFILE = f"eu.{NOVA}"
ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer"


@cache
def inside() -> Planned:
    """A door to one model of Bedrock, and nothing leaves the VPC."""
    return door()


@cache
def by_profile() -> Planned:
    """A door to a model that any of four regions answers, with a way out."""
    return door(model(PROFILE), site={"vpc": {"egress": "nat"}})


def document(found: Planned, row: str) -> dict[str, Any]:
    """The policy of a row, as IAM reads it."""

    def shown(ref: Ref) -> str:
        return f"{ref.row}#{ref.path}"

    return dict(json.loads(str(plain(base_rows(found)[row].properties["policy"], shown))))


def of_door(found: Planned) -> list[CloudRow]:
    return [row for row in base_rows(found).values() if "pods-door" in row.id]


def service(found: Planned) -> dict[str, Any]:
    """What Envoy Gateway is told of the Service of the proxies."""
    proxies = objects(found)["EnvoyProxy/door"]["spec"]["provider"]["kubernetes"]
    return dict(proxies["envoyService"])


def ingress(found: Planned) -> list[str]:
    """Networks whose packets reach proxies."""
    (rule,) = objects(found)["NetworkPolicy/door-clients"]["spec"]["ingress"]
    return [peer["ipBlock"]["cidr"] for peer in rule["from"]]


def egress(found: Planned) -> dict[str, list[int]]:
    """Networks that proxies reach, each with its ports."""
    rules = objects(found)["NetworkPolicy/door-clients"]["spec"]["egress"]
    return {
        peer["ipBlock"]["cidr"]: [port["port"] for port in rule.get("ports", [])]
        for rule in rules
        for peer in rule["to"]
        if "ipBlock" in peer
    }


def test_aws_would_take_the_rows_and_their_policies_grant_the_least() -> None:
    for found in (inside(), by_profile()):
        assert [problem.says for problem in found.errors] == []
        rows = list(base_rows(found).values())
        assert check_rows(rows) == []
        ours = [row for row in rows if row.name in ("pods-door", "bedrock-runtime")]
        assert check_policies(ours, {}) == []
        assert {policy.row.name for policy in policies(ours)} == {row.name for row in ours}


def test_proxies_have_a_role_for_the_models_of_routes_and_nothing_else() -> None:
    found = inside()
    (statement,) = document(found, "aws:iam/rolePolicy:RolePolicy/pods-door")["Statement"]
    assert statement == {
        "Sid": "Models",
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": [f"arn:aws:bedrock:eu-north-1::foundation-model/{NOVA}"],
    }
    (association,) = [row for row in of_door(found) if "PodIdentityAssociation" in row.token]
    account = objects(found)["EnvoyProxy/door"]["spec"]["provider"]["kubernetes"]["envoyServiceAccount"]["name"]
    assert (association.properties["namespace"], association.properties["serviceAccount"]) == (
        "envoy-gateway-system",
        account,
    )
    assert {row.id for row in of_door(found)} - {association.id} <= set(association.after)


def test_no_secret_is_named_where_the_pod_is_known() -> None:
    made = objects(inside())
    assert made["BackendSecurityPolicy/door-bedrock"]["spec"] == {
        "targetRefs": [
            {"group": "aigateway.envoyproxy.io", "kind": "AIServiceBackend", "name": "door-bedrock"},
        ],
        "type": "AWSCredentials",
        "awsCredentials": {"region": "eu-north-1"},
    }


def test_a_model_of_two_providers_in_one_region_is_granted_once_and_each_region_apart() -> None:
    regions = [bedrock(), bedrock("eu-west-1", "ireland")]
    models = [model(), model(name="again", id="again"), model(provider="ireland", name="third", id="third")]
    found = door(*models, providers=regions, site={"vpc": {"egress": "nat"}})
    (statement,) = document(found, "aws:iam/rolePolicy:RolePolicy/pods-door")["Statement"]
    assert statement["Resource"] == [
        f"arn:aws:bedrock:eu-north-1::foundation-model/{NOVA}",
        f"arn:aws:bedrock:eu-west-1::foundation-model/{NOVA}",
    ]


def test_a_profile_is_granted_with_its_models_through_it_alone() -> None:
    profile, through = document(by_profile(), "aws:iam/rolePolicy:RolePolicy/pods-door")["Statement"]
    name = f"arn:aws:bedrock:eu-north-1:{ACCOUNT}:inference-profile/{PROFILE}"
    assert profile["Resource"] == [name]
    assert through["Resource"] == [
        f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"
        for region in ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3")
    ]
    assert through["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": name}}


def test_without_a_way_out_bedrock_is_reached_through_an_endpoint_that_lets_the_role_through() -> None:
    row = "aws:ec2/vpcEndpoint:VpcEndpoint/bedrock-runtime"
    properties = base_rows(inside())[row].properties
    assert properties["serviceName"] == "com.amazonaws.eu-north-1.bedrock-runtime"
    assert properties["privateDnsEnabled"] is True
    (statement,) = document(inside(), row)["Statement"]
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/demo-sto-lab-pods-door"}
    }
    assert statement["Resource"] == [f"arn:aws:bedrock:eu-north-1::foundation-model/{NOVA}"]
    assert row not in base_rows(by_profile())


def test_proxies_reach_the_endpoint_and_the_agent_of_their_node() -> None:
    control = ["10.80.192.0/26", "10.80.192.64/26", "10.80.192.128/26"]
    reached = egress(inside())
    assert reached["169.254.170.23/32"] == [80]
    assert [cidr for cidr, ports in reached.items() if ports == [443] and cidr.startswith("10.80.")] == control
    assert "GTW-021" not in inside().rules_broken
    assert "GTW-021" in by_profile().rules_broken  # public addresses of Bedrock are stated by nobody


def test_the_load_balancer_is_internal_and_asks_pods_themselves() -> None:
    asked = service(inside())
    assert asked["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert asked["loadBalancerSourceRanges"] == ENDPOINTS["clients"]
    assert asked["allocateLoadBalancerNodePorts"] is False
    notes = {name.removeprefix(f"{ANNOTATION}-"): value for name, value in asked["annotations"].items()}
    assert notes["scheme"] == "internal"
    assert notes["nlb-target-type"] == "ip"
    assert notes["subnets"] == ",".join(f"${{aws:ec2/subnet:Subnet/control-eun1-az{index}#id}}" for index in (1, 2, 3))
    assert "preserve_client_ip.enabled=true" in notes["target-group-attributes"]
    assert notes["listener-attributes.TCP-443"] == "tcp.idle_timeout.seconds=600"


def test_clients_and_checks_of_the_load_balancer_reach_proxies_and_no_pod_does() -> None:
    assert ingress(inside()) == ["10.0.0.0/16", "10.80.192.0/26", "10.80.192.64/26", "10.80.192.128/26"]


def test_load_balancers_count_among_addresses_of_the_control_plane() -> None:
    """Of 59 addresses a zone EKS wants 16, endpoints 11 and the attachment one: three load balancers fit, not four."""
    assert doors(3).rules_broken.count("AWS-101") == 0
    broken = [problem for problem in doors(4).errors if problem.rule == "AWS-101"]
    assert len(broken) == 3
    assert "11 endpoints and 1 attachment and 4 load balancers want 60 addresses" in broken[0].says


@pytest.mark.schema
def test_the_server_takes_every_object_at_aws(schemas: Schemas) -> None:
    for found in (inside(), by_profile()):
        problems = {name: schemas.problems(body) for name, body in objects(found).items()}
        assert {name: said for name, said in problems.items() if said} == {}


@pytest.mark.parametrize(
    ("rule", "fires"),
    [
        ("GTW-027", {"providers": [bedrock(host="vpce-1.bedrock-runtime.eu-north-1.vpce.amazonaws.com")]}),
        ("GTW-027", {"providers": [bedrock(port=8443)]}),
        ("GTW-028", {"providers": [bedrock("eu-west-1")]}),
        ("GTW-035", {"endpoints": {**ENDPOINTS, "clients": ["192.0.2.0/24"]}}),
        ("GTW-036", {"endpoints": {**ENDPOINTS, "load_balancer_class": "metallb.io/metallb"}}),
        ("GTW-036", {"endpoints": {**ENDPOINTS, "address": "10.80.0.9"}}),
    ],
)
def test_what_a_door_at_aws_cannot_be_is_refused(rule: str, fires: dict[str, Any]) -> None:
    found = door(**fires)
    assert [problem.rule for problem in found.errors] == [rule]
    assert found.errors[0].hint
    assert inside().site_plan.evaluated[rule] > 0


@pytest.mark.parametrize(
    ("rule", "called", "site"),
    [
        ("GTW-029", "eu.amazon.nova-pro-v1:0", {}),
        ("GTW-029", f"arn:aws:bedrock:eu-north-1:{ACCOUNT}:application-inference-profile/abc", {}),
        ("GTW-023", "global.amazon.nova-2-lite-v1:0", {}),
        ("GTW-023", "us.anthropic.claude-3-haiku-20240307-v1:0", {}),
        (
            "GTW-023",
            "eu.amazon.nova-pro-v1:0",
            {"inference_profiles": [{"profile": "eu.amazon.nova-pro-v1:0", "regions": ["eu-north-1", "eu-west-2"]}]},
        ),
    ],
)
def test_a_profile_is_judged_by_each_region_that_answers(rule: str, called: str, site: dict[str, Any]) -> None:
    found = door(model(called), site={"vpc": {"egress": "nat"}, **site})
    assert rule in [problem.rule for problem in found.errors]


def test_a_profile_that_the_site_states_is_granted_as_stated() -> None:
    called = "eu.amazon.nova-pro-v1:0"
    stated = [{"profile": called, "regions": ["eu-north-1", "eu-west-3"]}]
    found = door(model(called), site={"inference_profiles": stated})
    assert [problem.says for problem in found.errors] == []
    _, through = document(found, "aws:iam/rolePolicy:RolePolicy/pods-door")["Statement"]
    assert [name.split(":")[3] for name in through["Resource"]] == ["eu-north-1", "eu-west-3"]


def test_a_class_that_forbids_operators_of_the_us_keeps_bedrock_out() -> None:
    found = door(residency={"open": {"jurisdictions": ["eu"], "operators": ["eu"]}})
    assert [problem.rule for problem in found.errors] == ["GTW-011"]
    assert "run from US" in found.errors[0].says


def test_workload_identity_is_for_sites_of_the_account_alone() -> None:
    fields = {"offers": (), "providers": [bedrock()], "models": [model()], "residency": RESIDENCY}
    assert planned_elsewhere(**fields).broken == ["GTW-026"]


def test_a_role_of_one_partition_asks_no_other() -> None:
    found = door(providers=[bedrock("us-gov-west-1")], site={"vpc": {"egress": "nat"}})
    assert "GTW-026" in [problem.rule for problem in found.errors]


def test_a_silence_that_a_load_balancer_forgets_is_told() -> None:
    assert "GTW-037" in door(silence_s=7_000, request_timeout_s=8_000).rules_broken
    assert "GTW-037" not in door(silence_s=6_000, request_timeout_s=8_000).rules_broken


def test_a_door_inside_the_cluster_has_no_load_balancer() -> None:
    found = door(reach="cluster", callers=["assist"])
    assert service(found) == {"name": "door-proxy", "type": "ClusterIP"}


def test_an_issuer_that_a_site_names_for_a_cluster_made_anew_is_somebodys_to_make() -> None:
    found = door(endpoints={**ENDPOINTS, "certificates": {"cluster_issuer": "corp"}})
    told = [each.says for each in found.site_plan.offers if isinstance(each, OperatorNote) and each.when == "before"]
    assert [each for each in told if "ClusterIssuer corp of the site file is made by nobody here" in each]
    assert not [each for each in door().site_plan.offers if isinstance(each, OperatorNote) and "Issuer" in each.says]
