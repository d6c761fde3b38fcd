"""Copies of images are looked for in the registry, here against moto, which keeps repositories as ECR does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.copied import COPIES, copies, looked_at_copies
from aifactory.stacks.live.finding import Finding, guarded
from aifactory.stacks.render.images import images
from support import shipped
from support.accounts import HERE, REGION, fill
from support.copies import mirror_of

WANTED = {
    "mirror/demo/docker.io/a/one": ("1.0",),
    "mirror/demo/inner": (),
    "mirror/demo/quay.io/b/two": ("2.0", "2.1"),
}
PLATFORM = "demo-sto-lab-platform"


def look(account: Account, wanted: dict[str, tuple[str, ...]] | None = None) -> Finding:
    (found,) = guarded(COPIES, looked_at_copies, wanted or WANTED, PLATFORM, HERE, account)
    return found


def digest(repository: str) -> str:
    """Digest of the one image of a repository."""
    listed = boto3.client("ecr", region_name=REGION).describe_images(repositoryName=repository)
    return str(listed["imageDetails"][0]["imageDigest"])


def test_a_registry_that_was_filled_has_all(account: Account) -> None:
    fill(WANTED)
    assert look(account) == Finding(COPIES, "ok", "all 4 are in the registry")


def test_before_the_base_is_up_nothing_is_wrong_yet(account: Account) -> None:
    found = look(account)
    assert (found.state, found.found) == ("missing", "none of their repositories is there: the base makes them")
    assert found.advice == f"then run copy-images.sh of the folder that aifactory generate writes for {PLATFORM}"


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ({**WANTED, "mirror/demo/quay.io/b/two": ("2.0",)}, "1 of 4 are not in the registry, from which alone nodes"),
        ({**WANTED, "mirror/demo/quay.io/b/two": ("2.0",)}, "nodes pull: mirror/demo/quay.io/b/two:2.1"),
        ({"mirror/demo/docker.io/a/one": ("1.1",)}, "4 of 4 are not"),
        (
            {"mirror/demo/docker.io/a/one": ("1.1",)},
            "mirror/demo/inner, mirror/demo/quay.io/b/two:2.0 and 1 more",
        ),
        ({name: versions for name, versions in WANTED.items() if versions}, "nodes pull: mirror/demo/inner"),
    ],
)
def test_what_lacks_is_named(account: Account, there: dict[str, tuple[str, ...]], says: str) -> None:
    fill(there)
    found = look(account)
    assert found.state == "broken"
    assert says in found.found
    assert found.advice.startswith("run copy-images.sh")


def test_an_empty_repository_lacks_what_a_chart_inside_of_a_chart_pulls(account: Account) -> None:
    fill({"mirror/demo/docker.io/a/one": ("1.0",)})
    boto3.client("ecr", region_name=REGION).create_repository(repositoryName="mirror/demo/inner")
    found = look(account, {"mirror/demo/docker.io/a/one": ("1.0",), "mirror/demo/inner": ()})
    assert found.found.endswith("nodes pull: mirror/demo/inner")


def test_an_image_by_digest_is_found_by_it_whatever_its_tag(account: Account) -> None:
    repository = "mirror/demo/docker.io/a/one"
    fill({repository: ("1.0",)})
    assert look(account, {repository: (digest(repository),)}).state == "ok"
    other = "sha256:" + "0" * 64
    assert look(account, {repository: (other,)}).found.endswith(f"{repository}@{other}")


def test_a_tag_that_the_site_leaves_open_is_any_image(account: Account) -> None:
    repository = "mirror/demo/nvcr.io/driver"
    fill({repository: ("580-ubuntu24.04",)})
    assert look(account, {repository: ("580-ubuntu24.04?",)}).state == "ok"


def test_who_may_not_look_is_told_what_to_ask_for(account: Account) -> None:
    def every(*_: Any, **__: Any) -> list[Any]:
        raise Declined("AccessDeniedException", "AWS answers AccessDeniedException", "let these credentials do it")

    account.every = every  # type: ignore[method-assign]
    assert look(account).found == "not seen: AWS answers AccessDeniedException"


def test_the_copies_of_a_shipped_platform_are_what_its_nodes_pull() -> None:
    """Tags of what rows name, and a repository for each chart inside of a chart."""
    name = "public-inference-eusc-de"
    platform, base = (shipped.stacks()[f"{name}-{layer}"] for layer in ("platform", "base"))
    wanted = copies(images(platform), mirror_of(platform), base.cloud_rows)
    assert wanted[f"mirror/{name}/docker.io/grafana/grafana"] == ()
    named = {f"{mirror_of(platform).host}/{repository}:{tag}" for repository, tags in wanted.items() for tag in tags}
    assert named == {image for image in images(platform) if mirror_of(platform).repository_of(image)}
