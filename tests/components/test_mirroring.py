"""What copies of images are called, and in which fields of a tree an image is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.image_reference import parse_image
from aifactory.components.mirroring import MirrorOffer, Unnamed, mirrored, qualified, with_unnamed
from aifactory.components.problems import Refused
from aifactory.components.values import Json

HOST, ROOT = "1.dkr.ecr.eu-north-1.amazonaws.com", "1.dkr.ecr.eu-north-1.amazonaws.com/mirror/demo-sto"
EKS = "2.dkr.ecr.eu-north-1.amazonaws.com"
MIRROR = MirrorOffer(
    "cluster", HOST, "mirror/demo-sto", (HOST, EKS), (Unnamed("Proxy.x.io", "spec.a.image", "r.io/p:1"),)
)


@pytest.mark.parametrize(
    ("tree", "copies", "repositories"),
    [
        ({"name": "a", "image": "busybox"}, {"name": "a", "image": f"{ROOT}/docker.io/library/busybox"}, ["busybox"]),
        ({"name": "a", "image": "r.io/x:1@sha256:00"}, {"name": "a", "image": f"{ROOT}/r.io/x:1@sha256:00"}, ["x"]),
        ({"image": "kserve/agent", "tag": "1"}, {"image": f"{ROOT}/docker.io/kserve/agent", "tag": "1"}, ["agent"]),
        (
            {"image": "plugins", "repository": "r.io/n", "version": "v1"},
            {"image": "plugins", "repository": f"{ROOT}/r.io/n", "version": "v1"},
            ["plugins"],
        ),
        ({"repository": "r.io/n/x", "tag": "v1"}, {"repository": f"{ROOT}/r.io/n/x", "tag": "v1"}, ["x"]),
        ({"registry": "r.io", "repository": "n/x"}, {"registry": f"{ROOT}/r.io", "repository": "n/x"}, ["x"]),
        ({"image": {"reference": "r.io/a:1"}}, {"image": {"reference": f"{ROOT}/r.io/a:1"}}, ["a"]),
        ({"imageName": "r.io/pg:18"}, {"imageName": f"{ROOT}/r.io/pg:18"}, ["pg"]),
        ({"rbacProxyImage": "r.io/proxy:1"}, {"rbacProxyImage": f"{ROOT}/r.io/proxy:1"}, ["proxy"]),
        ({"image": "driver"}, {"image": "driver"}, []),
        ({"image": ""}, {"image": ""}, []),
        ({"repository": "https://git.example.com/x"}, {"repository": "https://git.example.com/x"}, []),
        ({"repository": "", "image": "vgpu", "version": ""}, {"repository": "", "image": "vgpu", "version": ""}, []),
        ({"name": "a", "image": f"{EKS}/eks/x:1"}, {"name": "a", "image": f"{EKS}/eks/x:1"}, []),
        ({"name": "a", "image": f"{HOST}/own:1"}, {"name": "a", "image": f"{HOST}/own:1"}, []),
        ({"a": Json({"image": "r.io/x:1"})}, {"a": Json({"image": f"{ROOT}/r.io/x:1"})}, ["x"]),
        ([({"image": "r.io/x:1"},)], [[{"image": f"{ROOT}/r.io/x:1"}]], ["x"]),
    ],
)
def test_every_form_that_names_an_image_names_its_copy(tree: object, copies: object, repositories: list[str]) -> None:
    found: set[str] = set()
    assert mirrored(tree, MIRROR, found) == copies
    assert [MIRROR.repository_of(name).rpartition("/")[2] for name in found] == repositories


def test_renaming_twice_changes_nothing() -> None:
    once = mirrored({"image": "r.io/x:1"}, MIRROR, set())
    assert mirrored(once, MIRROR, set()) == once


@pytest.mark.parametrize(("name", "whole"), [("nginx", "docker.io/library/nginx"), ("a/b:1", "docker.io/a/b:1")])
def test_a_name_without_a_registry_is_one_of_docker_hub(name: str, whole: str) -> None:
    assert qualified(name) == whole


PARTS = st.lists(
    st.from_regex(r"[a-z0-9]{1,6}((\.|_|__|-{1,2})[a-z0-9]{1,4}){0,2}", fullmatch=True), min_size=1, max_size=4
)
HOSTS = st.from_regex(r"[a-z0-9]{1,8}\.[a-z]{2,4}(:[1-9][0-9]{1,3})?", fullmatch=True)


@given(host=HOSTS, parts=PARTS, tag=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,9}", fullmatch=True))
def test_a_copy_is_a_reference_of_its_registry_and_leads_back(host: str, parts: list[str], tag: str) -> None:
    name = f"{host}/{'/'.join(parts)}:{tag}"
    copy = MIRROR.copy_of(name)
    assert parse_image(copy).registry == HOST
    assert MIRROR.original_of(copy) == name
    assert MIRROR.repository_of(copy) == parse_image(copy).repository


def test_a_name_that_no_repository_can_have_is_refused_with_the_way_out() -> None:
    with pytest.raises(Refused) as refused:
        MIRROR.copy_of(f"r.io/{'a' * 250}:1")
    (problem,) = refused.value.problems
    assert "256 characters" in problem.says
    assert problem.hint == "shorten the prefix"


def test_an_image_that_an_operator_would_choose_is_written_into_the_object() -> None:
    body = {"apiVersion": "x.io/v1", "kind": "Proxy", "spec": {"b": 1}}
    assert with_unnamed(body, MIRROR)["spec"] == {"b": 1, "a": {"image": "r.io/p:1"}}
    named = {"apiVersion": "x.io/v1", "kind": "Proxy", "spec": {"a": {"image": "own"}}}
    assert with_unnamed(named, MIRROR) == named
    assert with_unnamed({**body, "kind": "Other"}, MIRROR) == {**body, "kind": "Other"}
