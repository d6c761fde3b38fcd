"""Writes the states of all shipped stacks as the real engine exports them: what upgrade tests start from.

`python tests/support/export_states.py FOLDER` deploys every shipped stack with the `pulumi` command on PATH, a
provider without a cluster and a state backend of the moment, and writes `FOLDER/<stack>.json`. What differs from
run to run is taken out: times, ids of providers, the encryption, and paths of this machine. So the same rows give
the same files. `tests/data/states/<release>/` is written once, when the release is made, and never again.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

_PROVIDER_ID = "00000000-0000-4000-8000-000000000000"
_OF_THIS_RUN = ("created", "modified", "sourcePosition", "stackTrace")


def main(folder: Path) -> None:
    """Deploy and export every shipped stack."""
    from aifactory.cli.deploying import Runner
    from aifactory.stacks.assembly.rowset import row_set
    from aifactory.stacks.program import identity
    from aifactory.stacks.program.deployment import opened
    from support.shipped import works

    folder.mkdir(parents=True, exist_ok=True)
    with _plugin_on_path(), TemporaryDirectory() as name:
        os.environ["PULUMI_CONFIG_PASSPHRASE"] = ""
        runner = Runner(Path(name))
        for work in works().values():
            for outcome in runner.up(work, refresh=False):
                assert outcome.result == "succeeded", outcome
                state = work.stacks[outcome.stack].plan.place.state
                with opened(runner.engine, runner.target(outcome.stack, state)) as deployment:
                    assert deployment is not None
                    rows = row_set(work.stacks[outcome.stack], work.digest)
                    text = as_text(deployment.exported(), list(identity.urns(rows)))
                (folder / f"{outcome.stack}.json").write_text(text, encoding="utf-8")


def as_text(exported: dict[str, Any], rows: list[str]) -> str:
    """An exported state without what belongs to its run, a line for each resource. `rows` are URNs in order."""
    deployment = exported["deployment"]
    manifest = {key: value for key, value in deployment["manifest"].items() if key != "time"}
    identifiers = [one["id"] for one in deployment["resources"] if one["type"].startswith("pulumi:providers:")]
    lines = []
    places = {urn: index for index, urn in enumerate(rows)}
    for resource in sorted(deployment["resources"], key=lambda one: _place(one, places)):
        kept = {key: value for key, value in resource.items() if key not in _OF_THIS_RUN}
        if "dependencies" in kept:
            kept["dependencies"] = sorted(kept["dependencies"])
        for urns in (kept.get("propertyDependencies") or {}).values():
            urns.sort()
        line = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        for identifier in identifiers:
            line = line.replace(identifier, _PROVIDER_ID)
        lines.append(line)
    head = json.dumps({"manifest": manifest, "metadata": {}}, separators=(",", ":"))[:-1]
    return f'{{"version":{exported["version"]},"deployment":{head},"resources":[\n' + ",\n".join(lines) + "\n]}}\n"


def _place(resource: dict[str, Any], rows: dict[str, int]) -> tuple[int, int, str]:
    """Order in which a state may hold resources: each after its parent, its provider and what it waits for."""
    kind = resource["type"].partition(":")[0] if resource["custom"] else resource["type"].partition(":")[2]
    stage = {"pulumi:Stack": 0, "index:AiFactory": 1, "pulumi": 2, "kubernetes": 4}.get(kind, 3)
    return stage, rows.get(resource["urn"], 0), resource["urn"]


@contextmanager
def _plugin_on_path() -> Iterator[None]:
    from support.proving import plugins

    with TemporaryDirectory() as folder:
        plugins.write(Path(folder, plugins.KUBERNETES), plugins.ECHO)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before


if __name__ == "__main__":
    main(Path(sys.argv[1]))
