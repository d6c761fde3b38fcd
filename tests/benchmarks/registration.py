"""Registering rows with Pulumi beside a flat program with the same resources, under the recorder.

`python tests/benchmarks/registration.py [COUNT...]` prints a line of JSON for each count: CPU seconds (user
and system; least of the runs, each in a fresh interpreter), peak memory, and the ratio that the budget speaks
of. The flat program is as quick as one can be: tokens, no typed classes, no components, no lowering. With `--base`
the rows are those of the base of a site at AWS, as often as gives the count; `bases.py` has them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

COUNTS = (1_000, 5_000)
BASE_COUNTS = (1_000,)
RUNS = 5
WAYS = ("flat", "rows")
_PARTS = 20


def row_set(count: int) -> Any:
    """About `count` rows in twenty parts: namespaces, and Deployments that wait for theirs."""
    from aifactory.components.rows import Maker, Row, Wave
    from aifactory.stacks.assembly.rowset import ClusterEntry, PartEntry, RowSet

    parts = tuple(PartEntry(f"part-{index:02d}", "queue", 2, "") for index in range(_PARTS))
    rows: list[Row] = []
    for part in parts:
        maker = Maker("demo", "lab", part.name, Wave.WORKLOADS)
        namespace = maker.kubernetes("v1", "Namespace", f"{part.name}-ns", wave=Wave.FOUNDATION)
        rows.append(namespace)
        for index in range(count // _PARTS - 1):
            spec = _deployment(f"{part.name}-{index}")
            rows.append(
                maker.kubernetes(
                    "apps/v1",
                    "Deployment",
                    f"{part.name}-{index}",
                    namespace.name,
                    spec=spec,
                    after=[namespace.id],
                )
            )
    return RowSet(
        stack="demo-lab-platform",
        factory="demo",
        site="lab",
        plan_digest="sha256:0",
        cluster=ClusterEntry("~/.kube/config", "lab", "demo-lab"),
        parts=parts,
        rows=tuple(rows),
        steps={row.id: 0 for row in rows},
        outputs={"plan_digest": "sha256:0"},
    )


def run(way: str, count: int, *, base: bool = False) -> dict[str, float]:
    """One program in this process: CPU seconds without imports, and peak memory."""
    from aifactory.stacks.program.adapter import register_stack
    from benchmarks.bases import base_set, flat_base
    from support.recorder import record

    rows = base_set(count) if base else row_set(count)
    flat_program = flat_base(rows) if base else lambda: flat(rows)

    def program() -> None:
        if way == "flat":
            flat_program()
        else:
            register_stack(rows, Path("/project"))

    started = time.process_time()
    recorded = record(program)
    spent_s = time.process_time() - started
    resources = sum(resource.custom for resource in recorded.resources.values())
    return {"cpu_s": spent_s, "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024, "resources": resources}


def measure(count: int, runs: int = RUNS, *, base: bool = False) -> dict[str, Any]:
    """Both ways in turn, so that a busy machine hurts both alike."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            output = subprocess.run(
                [sys.executable, __file__, "--one", way, str(count), *(["--base"] if base else [])],
                check=True,
                capture_output=True,
                text=True,
            )
            found[way].append(json.loads(output.stdout))
    result: dict[str, Any] = {"rows": count}
    for way, all_runs in found.items():
        result[f"{way}_cpu_s"] = round(min(one["cpu_s"] for one in all_runs), 3)
        result[f"{way}_peak_mb"] = round(max(one["peak_mb"] for one in all_runs))
        result[f"{way}_resources"] = int(all_runs[0]["resources"])
    result["ratio"] = round(result["rows_cpu_s"] / result["flat_cpu_s"], 3)
    return result


def flat(rows: Any) -> None:
    """The same resources in a program without components."""
    import pulumi

    from aifactory.stacks.program.inputs import plugin_version, provider_inputs

    version = plugin_version()
    inputs = provider_inputs(rows.cluster, "", Path("/project"))
    provider = pulumi.ProviderResource("kubernetes", "lab", inputs, pulumi.ResourceOptions(version=version))
    made: dict[str, pulumi.Resource] = {}
    for row in rows.rows:
        opts = pulumi.ResourceOptions(provider=provider, depends_on=[made[name] for name in row.after], version=version)
        made[row.id] = pulumi.CustomResource(row.token, f"{row.namespace}/{row.name}", row.body, opts)
    pulumi.export("plan_digest", rows.plan_digest)


def _deployment(name: str) -> dict[str, Any]:
    labels = {"app": name}
    container = {
        "name": "main",
        "image": "registry.example.com/app:1",
        "args": ["serve", "--port=8080"],
        "env": [{"name": f"SETTING_{index}", "value": str(index)} for index in range(5)],
        "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "8"}, "requests": {"cpu": "1"}},
    }
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(run(sys.argv[2], int(sys.argv[3]), base="--base" in sys.argv)))
    else:
        for size in [int(text) for text in sys.argv[1:] if text.isdecimal()] or COUNTS:
            print(json.dumps(measure(size, base="--base" in sys.argv)), flush=True)
