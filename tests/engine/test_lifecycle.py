"""Every shipped stack goes up, stays as it is, is refreshed, vanishes, and comes back by its script.

Real engine, API server, scheduler and Helm.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from aifactory.components.rows import HelmRow
from aifactory.stacks.program.identity import PROVIDER_TYPE
from aifactory.stacks.program.inputs import provider_inputs
from support import shipped
from support.proving.expected import expected, held
from support.proving.ground import Operators
from support.proving.script import ours, run_script
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
KEEPING_DEFINITIONS = "training-roce-ams-colo1-platform"
"""Here destroy isn't asked to remove the definitions that its releases brought."""


@pytest.mark.parametrize("name", shipped.GIVEN)
def test_a_shipped_stack_goes_up_stays_vanishes_and_comes_back_by_its_script(yards: Any, name: str) -> None:
    yard: Yard = yards(name)
    yard.plane.api.apply(foreign())
    before = yard.plane.api.all()
    everything = expected(yard.rows, provider_inputs(yard.rows.cluster, str(yard.kubeconfig), yard.root))
    assert held(previewed(yard)) == everything
    with Operators(yard.plane.api):
        first = yard.data("up", "--yes")
        assert first["changes"] == {"create": len(first["rows"])}
        assert held(yard.resources()) == everything
        assert yard.data("preview")["changes"] == {"same": len(first["rows"])}
        refreshed = ["pulumi", "--non-interactive", "refresh", "--yes", "--expect-no-changes", f"--stack={yard.name}"]
        ran = yard.call(refreshed, {"PULUMI_BACKEND_URL": f"file://{yard.state}"}, yard.root / "out" / yard.name)
        assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
        again = yard.data("up", "--yes", "--refresh")
        assert (again["changes"], again["rows"]) == ({"same": len(first["rows"])}, [])
        made, releases = ours(yard), charts(yard)
        assert len(made) == len(yard.cluster_rows()) - len(yard.releases())
        asked = [] if name == KEEPING_DEFINITIONS else ["--remove-crds"]
        yard.data(
            "destroy", "--yes", *asked, *(word for row in yard.protected() for word in ("--remove-protected", row))
        )
        yard.plane.wait(lambda: not volumes(yard), "the provisioner has removed the volumes of claims")
        _nothing_is_left(yard, before)
        assert yard.plane.api.get(foreign())["data"] == foreign()["data"]
        ran = run_script(yard)
        assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    assert (ours(yard), charts(yard)) == (made, releases)


def _nothing_is_left(yard: Yard, before: dict[str, Any]) -> None:
    after = yard.plane.api.all()
    assert before.keys() - after.keys() == set(), "something of others is gone"
    left = {name for name in after.keys() - before.keys() if not name.startswith("APIService.")}
    kept = kept_definitions(yard) if yard.name == KEEPING_DEFINITIONS else set()
    assert left == {f"CustomResourceDefinition.apiextensions.k8s.io//{name}" for name in kept}
    assert [one["type"] for one in yard.resources() if one["type"] not in ("pulumi:pulumi:Stack", PROVIDER_TYPE)] == []


def previewed(yard: Yard) -> list[dict[str, Any]]:
    """Resources of a first preview, by plain `pulumi preview` in the generated folder of the stack."""
    out = yard.root / "out"
    assert yard.run("generate", "--out", str(out)).returncode == 0
    folder, state = out / yard.name, yard.root / "state-of-the-preview"
    state.mkdir()
    backend = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE_FILE": ""}
    for words in (
        ["stack", "init", yard.name],
        ["config", "set", "kubeconfig", str(yard.kubeconfig)],
        ["preview", "--json"],
    ):
        ran = yard.call(["pulumi", "--non-interactive", *words], backend, folder)
        assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    return [step["newState"] for step in json.loads(ran.stdout)["steps"]]


def charts(yard: Yard) -> list[tuple[str, str, str]]:
    """Each release of Helm: its namespace, name, and chart with version."""
    return [(one["namespace"], one["name"], one["chart"]) for one in yard.helm_releases()]


def volumes(yard: Yard) -> list[Any]:
    """Volumes of the cluster."""
    return list(yard.plane.api.call("GET", "/api/v1/persistentvolumes")["items"])


def kept_definitions(yard: Yard) -> set[str]:
    """Definitions that stay when their release goes: Helm never removes those of a chart's crds/ folder."""
    return {crd for row in yard.stack.rows if isinstance(row, HelmRow) for crd in row.crds} - yard.removable


def foreign() -> dict[str, Any]:
    """Something that is not ours."""
    metadata = {"name": "of-others", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"whose": "not ours"}}
