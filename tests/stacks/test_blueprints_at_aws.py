"""Blueprints that we ship for other venues, asked for at AWS: with engines of the venue each works there, or says why
not and what would do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from aifactory.blueprints.load import load
from aifactory.components.problems import Problem, Refused
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import assemble
from aifactory.stacks.planning.factory import plan_factory
from aifactory.stacks.planning.model import FactoryPlan
from support import shipped

EUROPE = "{jurisdictions: [eu], operators: [eu, us]}"
TIERS = """\
  - {kind: storage-tier, name: objects, tier: object, engine: s3, data_class: document, paths: [
      {path: contracts, keeps: dataset, tenant: legal, size_gib: 4096}]}
  - {kind: storage-tier, name: volumes, tier: block, engine: ebs, default: true, data_class: document}
  - {kind: observability, name: watch, data_class: document, signals: []}
"""
BACKUP = "    backup: {tier: objects, hour: 1, keep_days: 14}\n"
LARGE = ("m8i.2xlarge", "m8i.4xlarge")
DEFINED = ("  cost_centre:", "  definitions: {inference-extension: v1.6.0}\n  cost_centre:")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("venue")
    shutil.copytree(shipped.LIBRARY.parent / "sites", root / "sites")
    (root / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
    return root


def planned(root: Path, blueprint: str, *site_edits: tuple[str, str]) -> FactoryPlan | list[Problem]:
    """The plan of a blueprint at Stockholm, whose site file is edited, or what the language refuses."""
    site = (shipped.LIBRARY.parent / "sites" / "sto-aws.yaml").read_text(encoding="utf-8")
    for old, new in site_edits:
        assert old in site
        site = site.replace(old, new)
    (root / "sites" / "sto-aws.yaml").write_text(site, encoding="utf-8")
    (root / "factory.yaml").write_text(blueprint, encoding="utf-8")
    try:
        return plan_factory(load(root / "factory.yaml"))
    except Refused as refused:
        return list(refused.problems)


def errors(found: FactoryPlan | list[Problem]) -> list[Problem]:
    return found if isinstance(found, list) else list(found.findings.errors)


def rag(*, backup: bool = False, rules: str = EUROPE) -> str:
    """`rag-private` at Stockholm, with tiers of the venue."""
    text = (shipped.LIBRARY / "rag-private.yaml").read_text(encoding="utf-8")
    head = text[: text.index("  # Documents and backups of the vectors.")]
    head = re.sub(r"(?m)^  core: .*$", "  core: {sites: [sto-aws]}", head)
    whole = re.sub(r"(?m)^    document: .*$", f"    document: {rules}", head)
    assert whole.count(BACKUP) == 1
    return (whole if backup else whole.replace(BACKUP, "")) + TIERS


def test_answers_from_documents_are_planned_and_made_at_aws(sites: Path) -> None:
    found = planned(sites, rag(), LARGE, DEFINED)
    assert errors(found) == []
    assert isinstance(found, FactoryPlan)
    (plan,) = found.stacks.values()
    _, platform = assemble(plan)
    kinds = {row.body["kind"] for row in platform.rows if isinstance(row, KubernetesRow)}
    assert {"Cluster", "InferencePool", "AIGatewayRoute"} <= kinds
    (database,) = (
        row.body for row in platform.rows if isinstance(row, KubernetesRow) and row.body["kind"] == "Cluster"
    )
    assert database["spec"]["storage"]["storageClass"] == "volumes"  # type: ignore[index]


def test_an_index_that_fits_no_node_says_which_nodes_would_do(sites: Path) -> None:
    (problem,) = errors(planned(sites, rag(), DEFINED))
    assert problem.rule == "RAG-006"
    assert "29 GiB of memory for each instance, and the largest node leaves 28" in problem.says
    assert problem.hint.endswith("write an aws.system_nodes.instance_type with 33 GiB")


def test_backups_to_s3_are_refused_with_what_to_do_instead(sites: Path) -> None:
    (problem,) = errors(planned(sites, rag(backup=True), LARGE, DEFINED))
    assert problem.rule == "RAG-004"
    assert problem.hint.startswith("leave backup out")


def test_routers_need_definitions_that_somebody_applies(sites: Path) -> None:
    (problem,) = errors(planned(sites, rag(), LARGE))
    assert "inference-extension is needed by chat, desk" in problem.says
    assert problem.hint.endswith("add aws.definitions.inference-extension: v1.6.0")


def test_documents_that_must_stay_in_germany_don_t_go_to_stockholm(sites: Path) -> None:
    found = errors(planned(sites, rag(rules="{jurisdictions: [de], operators: [de]}"), LARGE, DEFINED))
    assert {problem.rule for problem in found if "stands in SE" in problem.says} >= {"SRV-013"}


def test_sovereign_inference_at_a_us_operator_is_refused_for_its_data_and_its_engines(sites: Path) -> None:
    text = (shipped.LIBRARY / "sovereign-inference.yaml").read_text(encoding="utf-8")
    old = "core: {sites: [fra-dc1, ams-colo1]}"
    assert old in text
    found = errors(planned(sites, text.replace(old, "core: {sites: [fra-dc1, ams-colo1, sto-aws]}")))
    there = [problem for problem in found if problem.site == "sto-aws"]
    assert there == found
    assert {problem.rule for problem in there} >= {"SRV-013", "STO-038"}
    engines = {problem.hint for problem in there if problem.rule == "STO-038"}
    assert engines == {f"write engine: {name}" for name in ("s3", "fsx-lustre", "ebs", "instance-store")}
    data = [problem for problem in there if problem.rule == "SRV-013"]
    assert all("Amazon Web Services, of US, runs it" in problem.says for problem in data)
    assert all("fra-dc1 and ams-colo1 may have it" in problem.hint for problem in data)
