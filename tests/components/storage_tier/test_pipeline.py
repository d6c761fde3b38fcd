"""What the pipeline moves, what copies read, and the example that the part's README gives."""

from importlib.resources import files
from typing import Any

import pytest
import yaml

from support.planning import Planned
from support.stored import EU, SHARED, SYSTEM, broken, racked, says, site, tier, tiered

OBJECTS = tier("object", name="objects", size_tib=40.0, fill_percent=63)
PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1_024}
FILL = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}


def decided(found: Planned, path: str) -> Any:
    """A value of the plan."""
    return found.decisions[path].value


def test_the_example_of_the_readme_breaks_no_rule() -> None:
    text = files("aifactory.components.storage_tier").joinpath("README.md").read_text("utf-8")
    example = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    system = {**SYSTEM, "snapshots": [{"every_h": 6, "keep": 80}]}
    found = tiered(
        *example,
        at=site(racked(1, 1, 1, 1), classes=[{**SHARED, "system": system}]),
        residency=EU,
        pool={"name": "serve"},
        queue={"pools": ["serve"], "tenants": [{"name": "tuning", "gpus": 64}]},
    )
    assert broken(found) == [], says(found)


def test_copies_read_what_changed_and_unknown_is_said_and_never_zero() -> None:
    path = dict(PATH)
    known = tiered(tier(paths=[path], changed_percent_a_day={"dataset": 10.0}))
    # 1024 GiB = 1099.51 GB, a tenth of it in 86,400 s.
    assert decided(known, "files.copies.far")["reads_gb_per_s"] == pytest.approx(0.0013, abs=0.0001)
    assert known.plans["files"].read_needed == pytest.approx(0.00127, abs=0.00001)
    unknown = tiered(tier(paths=[path]))
    assert decided(unknown, "files.copies.far")["reads_gb_per_s"] is None
    assert "unknown" in unknown.decisions["files.copies.far"].reason


def test_the_order_of_the_pipeline_alone_moves_nothing_and_says_so() -> None:
    found = tiered(tier(), tier("local-cache", name="scratch", fed_by="files"))
    assert "nothing is copied to drives of nodes" in found.decisions["scratch.fed_by"].reason
    objects = {**OBJECTS, "paths": [PATH]}
    filled = tiered(objects, tier(fed_by="objects", paths=[{**PATH, "prefetch": FILL}]))
    assert "a Job each copies into" in filled.decisions["files.fed_by"].reason
