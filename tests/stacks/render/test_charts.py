from __future__ import annotations

import pytest
import yaml

from aifactory.components.values import SecretRef
from aifactory.stacks.render.charts import chart_files, chart_reference, chart_repository
from support.stacking import release, stack_of


@pytest.mark.parametrize(
    ("repository", "reference", "flag"),
    [
        ("oci://registry.example.com/charts", "oci://registry.example.com/charts/op", ""),
        ("oci://registry.example.com/charts/", "oci://registry.example.com/charts/op", ""),
        ("https://charts.example.com/stable", "op", "https://charts.example.com/stable"),
    ],
)
def test_a_chart_is_named_as_helm_takes_it(repository: str, reference: str, flag: str) -> None:
    row = release("op", repository=repository)
    assert (chart_reference(row), chart_repository(row)) == (reference, flag)


def test_values_are_plain_and_secrets_stay_references() -> None:
    row = release("op", values={"replicas": 2, "auth": SecretRef("vault", "token")})
    ((path, text),) = chart_files(stack_of(row))
    assert path == "helm/op.yaml"
    assert yaml.safe_load(text) == {"replicas": 2, "auth": {"name": "vault", "key": "token"}}


def test_releases_of_one_name_in_two_namespaces_have_a_file_each() -> None:
    stack = stack_of(release("op", "a"), release("op", "b"), release("other"))
    assert [path for path, _ in chart_files(stack)] == ["helm/a.op.yaml", "helm/b.op.yaml", "helm/other.yaml"]


def test_a_release_without_values_is_an_empty_map() -> None:
    ((_, text),) = chart_files(stack_of(release("op")))
    assert yaml.safe_load(text) == {}


def test_the_heading_stays_a_comment_whatever_is_in_it() -> None:
    row = release("op", chart="x\ny: 1", override="because\nz: 2")
    ((_, text),) = chart_files(stack_of(row))
    assert yaml.safe_load(text) == {}
    assert text.splitlines()[1] == "# overridden: because z: 2"
