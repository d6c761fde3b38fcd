"""What we ship: every blueprint of the library at every site that it names, planned and assembled once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aifactory.cli.generating import origin_of
from aifactory.cli.work import Work, prepare
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.folder import stack_files

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "blueprints" / "library"


@cache
def works() -> Mapping[str, Work]:
    """Each blueprint of the library, by the name of its file."""
    return {path.stem: prepare(path) for path in sorted(LIBRARY.glob("*.yaml"))}


@cache
def stacks() -> Mapping[str, Stack]:
    """Each stack of each blueprint, by name."""
    return {name: stack for work in works().values() for name, stack in work.stacks.items()}


@cache
def files(name: str) -> Mapping[str, bytes]:
    """The folder of a stack, as `generate` writes it."""
    for work in works().values():
        if name in work.stacks:
            stack = work.stacks[name]
            return dict(stack_files(stack, origin_of(work, stack)))
    raise KeyError(name)


STACKS = (
    "cloud-burst-fra-dc1-platform",
    "cloud-burst-sto-aws-base",
    "cloud-burst-sto-aws-platform",
    "edge-slm-lys-edge1-platform",
    "gpu-as-a-service-ams-colo1-platform",
    "inference-l4-muc-lab1-platform",
    "public-inference-fra-dc1-platform",
    "public-inference-sto-aws-base",
    "public-inference-sto-aws-platform",
    "public-inference-iad-aws-base",
    "public-inference-iad-aws-platform",
    "public-inference-eusc-de-base",
    "public-inference-eusc-de-platform",
    "rag-private-fra-dc1-platform",
    "sovereign-inference-fra-dc1-platform",
    "sovereign-inference-ams-colo1-platform",
    "training-infiniband-hel-dc1-platform",
    "training-roce-fra-dc1-platform",
    "training-roce-ams-colo1-platform",
)
"""Names of the stacks, listed so that one that disappears is noticed."""
BASES = tuple(name for name in STACKS if name.endswith("-base"))
"""Stacks that make network, cluster and nodes at AWS. They have rows of AWS alone, and no object of a cluster."""
PLATFORMS = tuple(name for name in STACKS if name not in BASES)
"""Stacks of what runs in a cluster."""
GIVEN = tuple(name for name in PLATFORMS if name.removesuffix("platform") + "base" not in BASES)
"""Stacks of what runs in a cluster that the site gives. A platform on a cluster of ours can't go up without its base:
tests/engine takes whole sites at AWS through the verbs instead (test_aws_site.py, test_aws_teardown.py)."""
ONE_OF_EACH = (
    ("edge-slm", "lys-edge1"),
    ("gpu-as-a-service", "ams-colo1"),
    ("inference-l4", "muc-lab1"),
    ("rag-private", "fra-dc1"),
    ("sovereign-inference", "ams-colo1"),
    ("training-infiniband", "hel-dc1"),
    ("training-roce", "fra-dc1"),
)
"""Each blueprint with one of its sites, but for cloud-burst and public-inference: their rows in a room are of the same
kinds as those of others."""
