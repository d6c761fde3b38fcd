"""A policy pack in Python judges what the engine is about to make, with the language host and without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.export_states import as_text
from support.proving import plugins
from support.proving.cli import Cli, project

pytestmark = pytest.mark.engine

# `pulumi_policy` 1.21 wants protobuf 5 and can't be installed beside our protobuf 6, so the pack speaks the contract.
PACK = """\
import sys
from concurrent import futures

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as a, analyzer_pb2_grpc, plugin_pb2

RULE = {"enforcementLevel": a.MANDATORY, "description": "Names are short."}


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def GetAnalyzerInfo(self, request, context):
        rule = a.PolicyInfo(name="short", policy_type=a.POLICY_TYPE_RESOURCE, **RULE)
        return a.AnalyzerInfo(name="tiny", version="0.0.1", policies=[rule])

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="0.0.1")

    def Configure(self, request, context):
        return empty_pb2.Empty()

    def Analyze(self, request, context):
        name = json_format.MessageToDict(request.properties).get("metadata", {}).get("name", "")
        if len(name) < 10:
            return a.AnalyzeResponse()
        said = {"policyName": "short", "policyPackName": "tiny", "policyPackVersion": "0.0.1", **RULE}
        found = a.AnalyzeDiagnostic(message=f"{name} is too long", urn=request.urn, **said)
        return a.AnalyzeResponse(diagnostics=[found])

    def AnalyzeStack(self, request, context):
        return a.AnalyzeResponse()

    def Remediate(self, request, context):
        return a.RemediateResponse()


server = grpc.server(futures.ThreadPoolExecutor())
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""
PROGRAM = """\
import pulumi
name = pulumi.Config().require("name")
pulumi.CustomResource("kubernetes:core/v1:ConfigMap", "one", {"metadata": {"name": name}})
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder with one mandatory policy."""
    folder = tmp_path / "pack"
    folder.mkdir()
    runtime = f"{{name: python, options: {{toolchain: pip, virtualenv: {sys.prefix}}}}}"
    (folder / "PulumiPolicy.yaml").write_text(f"runtime: {runtime}\nversion: 0.0.1\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PACK, encoding="utf-8")
    return folder


def test_a_mandatory_violation_fails_the_preview_and_the_update(cli: Cli, tmp_path: Path, pack: Path) -> None:
    folder = project(tmp_path / "project", PROGRAM)
    cli.run("pulumi stack init dev && pulumi config set name configuration", folder)
    for command in ("pulumi preview", "pulumi up --skip-preview"):
        printed = cli.run(f"{command} --policy-pack {pack}", folder, code=1)
        assert "[mandatory]" in printed
        assert "configuration is too long" in printed
    kinds = [each["type"] for each in cli.exported(folder, "dev")["deployment"]["resources"]]
    assert "kubernetes:core/v1:ConfigMap" not in kinds
    cli.run("pulumi config set name short", folder)
    assert "tiny@v0.0.1" in cli.run(f"pulumi up --skip-preview --policy-pack {pack}", folder)


def test_a_pack_judges_a_state_without_a_language_host(cli: Cli, tmp_path: Path, pack: Path) -> None:
    folder = project(tmp_path / "project", PROGRAM)
    cli.run("pulumi stack init dev && pulumi config set name configuration && pulumi up --skip-preview", folder)
    state = tmp_path / "state.json"
    state.write_text(as_text(cli.exported(folder, "dev"), []), encoding="utf-8")
    (cli.plugins / plugins.LANGUAGE).unlink()
    printed = cli.run(f"pulumi policy analyze --file {state} --policy-pack {pack}", folder, code=1)
    assert "configuration is too long" in printed
