"""The platform at AWS is that of any other place, but for the door's load balancer and the way to Bedrock."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from aifactory.blueprints.site import AwsSite
from aifactory.components.capabilities import CAPABILITIES
from aifactory.components.offers import OperatorNote
from aifactory.components.rows import HelmRow
from aifactory.stacks.planning.place import place_of
from aifactory.stacks.render.readme import _untagged
from support.aws_doors import ENDPOINTS, RESIDENCY, bedrock, model, objects
from support.aws_sites import TRAIN, aws_site_data, base_rows
from support.copies import elsewhere
from support.gateways import OIDC
from support.planning import Planned, plan_site
from support.proving.aws_rows import check_rows, untaggable, untagged

IN_SWEDEN = {"country": "SE", "operator": "Amazon Web Services", "nationality": "US"}
STORE: dict[str, Any] = {
    "endpoint": "s3.eu-north-1.amazonaws.com",
    "logs": "demo-logs",
    "traces": "demo-traces",
    "secret": "telemetry-store",
    "place": IN_SWEDEN,
}
TELEMETRY = {"kind": "observability", "name": "telemetry"}
DOOR = {
    "kind": "gateway",
    "name": "door",
    "reach": "site",
    "sign_in": {"oidc": OIDC},
    "providers": [bedrock()],
    "models": [model(), model(name="more", id="more", tenants=["triage"])],
}
SITE_FIELDS = ("cluster.provides", "cluster.storage_classes", "cluster.nfs", "network.", "power.", "uplink.")
"""Fields that the file of a site at AWS doesn't have."""


def at_aws(
    *parts: dict[str, Any], aws: dict[str, Any] | None = None, capabilities: tuple[str, ...] = (), **site: Any
) -> Planned:
    """Parts at the made-up site in Stockholm."""
    data = {**aws_site_data(**(aws or {})), "endpoints": ENDPOINTS, **site}
    place = place_of(AwsSite.model_validate(data), TRAIN)
    cluster = {"kind": "cluster", "name": "cluster", "capabilities": list(capabilities)}
    return plan_site([cluster, *parts], place, residency=RESIDENCY)


@cache
def whole() -> Planned:
    """A door and its telemetry, with a cost centre."""
    return at_aws(DOOR, TELEMETRY, aws={"cost_centre": "ai-42"}, telemetry={"store": STORE})


def test_door_and_telemetry_are_planned_and_made_at_aws() -> None:
    found = whole()
    assert [problem.says for problem in found.errors] == []
    assert check_rows(base_rows(found).values()) == []
    assert {"loki", "tempo", "kube-prometheus-stack", "aws-load-balancer-controller"} <= {
        row.chart for row in found.rows.values() if isinstance(row, HelmRow)
    }


def test_images_of_door_and_telemetry_are_copies() -> None:
    assert elsewhere(whole().stacks[-1]) == []


def lost(found: Planned) -> list[str]:
    """Hints that send the reader to a field that the site's file can't have."""
    return [problem.hint for problem in found.problems if any(field in problem.hint for field in SITE_FIELDS)]


def test_no_hint_names_a_field_that_the_file_of_such_a_site_lacks() -> None:
    assert lost(whole()) == []
    assert lost(at_aws(TELEMETRY)) == []
    for capability in CAPABILITIES:
        assert lost(at_aws(capabilities=(capability,))) == [], capability
    assert at_aws(capabilities=("milvus",)).errors


def test_definitions_without_a_chart_are_applied_between_base_and_platform() -> None:
    asked = at_aws(capabilities=("inference-extension",))
    (problem,) = asked.errors
    assert problem.hint.endswith("add aws.definitions.inference-extension: v1.6.0")
    found = at_aws(capabilities=("inference-extension",), aws={"definitions": {"inference-extension": "v1.6.0"}})
    assert found.errors == []
    notes = [note.says for note in found.site_plan.offers if isinstance(note, OperatorNote)]
    assert any("Once the base is up, apply the definitions of inference-extension" in says for says in notes)
    old = at_aws(capabilities=("inference-extension",), aws={"definitions": {"inference-extension": "v0.1.0"}})
    assert [(each.rule, each.path) for each in old.errors] == [
        ("CLU-002", ("aws", "definitions", "inference-extension"))
    ]


def test_reasons_name_no_such_field_either() -> None:
    reasons = [
        text
        for each in whole().decisions.values()
        for text in (each.reason, *(rejected.reason for rejected in each.rejected))
    ]
    assert [text for text in reasons if any(field in text for field in SITE_FIELDS)] == []


def test_everything_that_aws_tags_says_whose_it_is() -> None:
    rows = list(base_rows(whole()).values())
    keys = ("aifactory:factory", "aifactory:site", "aifactory:part", "aifactory:managed-by", "aifactory:cost-centre")
    assert untagged(rows, keys) == []


def test_what_is_made_for_a_door_is_tagged_as_the_doors() -> None:
    ours = [row for row in base_rows(whole()).values() if row.name == "pods-door" and "tags" in row.properties]
    assert {row.token.rpartition(":")[2] for row in ours} == {"Role", "PodIdentityAssociation"}
    for row in ours:
        tags: Any = row.properties["tags"]
        assert tags["aifactory:part"] == "door"
        assert tags["aifactory:data-class"] == "open"
        assert tags["aifactory:tenant"] == "assist triage"


def test_load_balancers_get_all_tags_from_controller_and_door() -> None:
    release = next(
        row for row in whole().rows.values() if isinstance(row, HelmRow) and row.name == "aws-load-balancer-controller"
    )
    default: Any = release.values["defaultTags"]
    proxies = objects(whole())["EnvoyProxy/door"]["spec"]["provider"]["kubernetes"]["envoyService"]
    asked = proxies["annotations"]["service.beta.kubernetes.io/aws-load-balancer-additional-resource-tags"]
    own = dict(pair.split("=") for pair in asked.split(","))
    assert set(default) & set(own) == set()  # the controller's would win
    assert {**default, **own} == {
        "aifactory:factory": "demo",
        "aifactory:site": "sto-lab",
        "aifactory:part": "door",
        "aifactory:managed-by": "aifactory",
        "aifactory:cost-centre": "ai-42",
        "aifactory:data-class": "open",
        "aifactory:tenant": "assist triage",
    }


def balanced(tree: object) -> list[dict[str, Any]]:
    """All that asks for a Service of type LoadBalancer in an object."""
    found = [tree] if isinstance(tree, dict) and tree.get("type") == "LoadBalancer" else []
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return [*found, *(each for one in inner for each in balanced(one))]


def test_every_load_balancer_says_its_class_so_that_no_webhook_is_asked_for_services() -> None:
    release = next(
        row for row in whole().rows.values() if isinstance(row, HelmRow) and row.name == "aws-load-balancer-controller"
    )
    assert release.values["enableServiceMutatorWebhook"] is False
    asked = [each for body in objects(whole()).values() for each in balanced(body)]
    asked += [each for row in whole().rows.values() if isinstance(row, HelmRow) for each in balanced(row.values)]
    assert asked
    assert {each.get("loadBalancerClass") for each in asked} == {"service.k8s.aws/nlb"}


@pytest.mark.parametrize(("stated", "found"), [(None, "service.k8s.aws/nlb"), ("example.com/lb", "example.com/lb")])
def test_doors_of_a_site_at_aws_are_made_by_its_controller_unless_the_site_says_otherwise(
    stated: str | None, found: str
) -> None:
    given = {**ENDPOINTS, **({"load_balancer_class": stated} if stated else {})}
    place = place_of(AwsSite.model_validate({**aws_site_data(), "endpoints": given}), TRAIN)
    assert place.endpoints is not None
    assert place.endpoints.load_balancer_class == found


def test_rows_without_tags_are_listed_and_are_of_kinds_that_have_none() -> None:
    """Which kinds have none, the SDK's own types say."""
    base = whole().stacks[0]
    lines = [line for section in _untagged(base) for line in section]
    listed = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert listed == {row.id for row in base.cloud_rows if "tags" not in row.properties}
    assert {name.partition("/")[0] + "/" + name.split("/")[1] for name in listed} == set(untaggable(base.cloud_rows))
    assert list(_untagged(whole().stack)) == []


@pytest.mark.parametrize("egress", ["none", "nat"])
def test_the_ways_of_telemetry_are_those_that_its_site_states(egress: str) -> None:
    store = {**STORE, "networks": ["10.9.0.0/24"]}
    found = at_aws(TELEMETRY, aws={"vpc": {"egress": egress}}, telemetry={"store": store})
    assert "OBS-008" not in found.rules_broken
