"""A site without a way out pulls copies: no row of its platform names an image of anywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.aws_place import AwsPlace
from aifactory.components.cluster.aws.registry import REPOSITORY
from aifactory.components.rows import CloudRow, KubernetesRow
from aifactory.components.values import Ref
from aifactory.stacks.assembly.stack import Stack, assemble
from aifactory.stacks.planning.model import OverrideNote
from support import shipped
from support.copies import elsewhere, mirror_of, repositories


def without_a_way_out() -> list[str]:
    """Platforms that we ship at sites of AWS from which nothing leaves."""
    return [
        name
        for name in shipped.PLATFORMS
        if isinstance(place := shipped.stacks()[name].plan.place, AwsPlace) and place.aws.vpc.egress == "none"
    ]


@pytest.fixture(params=without_a_way_out())
def platform(request: pytest.FixtureRequest) -> Stack:
    return shipped.stacks()[request.param]


def base_of(platform: Stack) -> Stack:
    return shipped.stacks()[platform.name.removesuffix("platform") + "base"]


def made(base: Stack) -> dict[str, CloudRow]:
    return {str(row.properties["name"]): row for row in base.cloud_rows if row.token == REPOSITORY}


def test_we_ship_a_site_from_which_nothing_leaves() -> None:
    assert "public-inference-eusc-de-platform" in without_a_way_out()


def test_no_row_names_an_image_of_anywhere_but_the_accounts_registry(platform: Stack) -> None:
    assert elsewhere(platform) == []


def test_an_image_of_elsewhere_would_be_seen(platform: Stack) -> None:
    """In a field that names images, and in any other text."""
    row = next(row for row in platform.rows if isinstance(row, KubernetesRow) and row.body["kind"] == "Namespace")
    for more in ({"image": {"reference": "ghcr.io/x/y:1"}}, {"args": ["--sidecar=docker.io/x/y:1"]}):
        broken = replace(row, body={**row.body, **more})
        rows = tuple(broken if each.id == row.id else each for each in platform.rows)
        assert elsewhere(replace(platform, rows=rows))


def test_each_copy_has_a_repository_that_is_encrypted_scanned_and_never_overwritten(platform: Stack) -> None:
    base = base_of(platform)
    rows = made(base)
    # Charts inside of charts say their tags, so that images.txt doesn't name them; their repositories are there.
    assert repositories(platform) <= set(rows)
    inside = {name.rpartition("/")[2] for name in set(rows) - repositories(platform)}
    assert inside <= {"grafana", "k8s-sidecar", "kube-state-metrics", "node-exporter"}
    for row in rows.values():
        assert row.properties["imageTagMutability"] == "IMMUTABLE"
        assert row.properties["imageScanningConfiguration"] == {"scanOnPush": True}
        (encryption,) = row.properties["encryptionConfigurations"]  # type: ignore[misc]
        assert encryption == {"encryptionType": "KMS", "kmsKey": Ref("aws:kms/key:Key/images", "arn")}
        assert "aifactory:factory" in row.properties["tags"]  # type: ignore[operator]


def test_the_registry_is_the_accounts_own_in_the_region_and_partition(platform: Stack) -> None:
    place: Any = platform.plan.place
    suffix = {"eusc-de-east-1": "amazonaws.eu"}[place.aws.region]
    assert mirror_of(platform).host == f"{place.aws.account}.dkr.ecr.{place.aws.region}.{suffix}"


def test_the_plan_says_why_and_what_to_do(platform: Stack) -> None:
    decision = next(each for path, each in platform.plan.decisions.items() if path.endswith("aws.images"))
    assert {each.value for each in decision.rejected} == {"a mirror in containerd", "a pull-through cache"}
    assert any("copy-images.sh" in note.says for note in platform.plan.notes if note.when == "before")


def test_what_an_override_names_is_copied_too(platform: Stack) -> None:
    plan = platform.plan
    (part,) = [part for part in plan.parts if part.kind == "serving"]
    row = next(row for row in platform.rows if row.part == part.name and '"image"' in str(row).replace("'", '"'))
    note = OverrideNote(part.name, row.id, {"metadata": {"x": {"imageName": "quay.io/own/thing:1"}}}, "a test", ())
    again = replace(
        plan, parts=tuple(replace(each, overrides=(note,)) if each is part else each for each in plan.parts)
    )
    base, above = assemble(again)
    assert elsewhere(above) == []
    assert any(name.endswith("/quay.io/own/thing") for name in made(base))
