"""MIG geometry: whether instances fit one GPU together, and what Kubernetes calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

_PROFILE = re.compile(r"(?P<slices>[12347])g\.(?P<gb>[1-9][0-9]{0,3})gb(?P<suffix>.*)")

_STARTS: dict[int, dict[int, tuple[tuple[int, ...], int]]] = {
    7: {
        1: (tuple(range(7)), 1),
        2: ((0, 2, 4), 2),
        3: ((0, 4), 4),
        4: ((0,), 4),
        7: ((0,), 8),
    },
    4: {1: ((0, 1, 2, 3), 1), 2: ((0, 2), 2), 4: ((0,), 4)},
}
"""By slices of the GPU: where an instance may start, and how many memory slices it takes.

Source: NVIDIA/go-nvml mock of A100 and H100 (GpuInstancePlacements), NVIDIA/mig-parted config-default.yaml
for the counts; a 3g or 4g instance holds half of the memory, so its extent is 4.
"""
_DOUBLE = ((0, 2, 4, 6), 2)
"""A 1g instance with the memory of two, such as 1g.20gb of an 80 GB GPU: four fit."""


class Shape(Struct, frozen=True):
    """Where an instance of one profile may lie on its GPU."""

    starts: tuple[int, ...]
    extent: int
    at_most: int


def readable(profile: str) -> bool:
    """Whether a catalog's profile has the form that the geometry is known for."""
    return _PROFILE.fullmatch(profile) is not None


def shape(profile: str, of_gpu: Sequence[str]) -> Shape:
    """The shape of a profile. `of_gpu` are all profiles of its GPU; `profile` must be one of them."""
    slices, gigabytes, suffix = _parts(profile)
    table = _STARTS[4 if max(_parts(name)[0] for name in of_gpu) == 4 else 7]
    starts, extent = table[slices]
    smallest = min(_parts(name)[1] for name in of_gpu)
    if slices == 1 and gigabytes > smallest * 3 / 2:
        starts, extent = _DOUBLE
    return Shape(starts, extent, 1 if suffix.startswith("+me") else len(starts))


def fits(profiles: Mapping[str, int], of_gpu: Sequence[str]) -> bool:
    """Whether so many instances of each profile fit one GPU together."""
    shapes = {name: shape(name, of_gpu) for name in profiles}
    if any(count > shapes[name].at_most for name, count in profiles.items()):
        return False
    largest_first = sorted(profiles, key=lambda name: (-shapes[name].extent, name))
    pending = [shapes[name] for name in largest_first for _ in range(profiles[name])]
    return _place(pending, frozenset())


def most(profile: str, of_gpu: Sequence[str]) -> int:
    """How many instances of one profile fit a GPU that has nothing else."""
    return max(count for count in range(1, 8) if fits({profile: count}, of_gpu))


def resource(profile: str) -> str:
    """A profile's extended resource under the mixed strategy. Source: NVIDIA/k8s-device-plugin README."""
    return f"nvidia.com/mig-{profile.replace('+', '.')}"


def config_text(pools: Iterable[tuple[str, Mapping[str, int]]]) -> str:
    """The MIG manager's `config.yaml`: one configuration by pool, and the one that every other node keeps."""
    lines = [
        "version: v1",
        "mig-configs:",
        "  all-disabled:",
        "    - devices: all",
        "      mig-enabled: false",
    ]
    for name, profiles in pools:
        lines += [f"  {name}:", "    - devices: all", "      mig-enabled: true", "      mig-devices:"]
        lines += [f'        "{profile}": {count}' for profile, count in sorted(profiles.items())]
    return "\n".join(lines) + "\n"


def _place(pending: Sequence[Shape], taken: frozenset[int]) -> bool:
    if not pending:
        return True
    first, rest = pending[0], pending[1:]
    for start in first.starts:
        wanted = frozenset(range(start, start + first.extent))
        if not wanted & taken and _place(rest, taken | wanted):
            return True
    return False


def _parts(profile: str) -> tuple[int, int, str]:
    found = _PROFILE.fullmatch(profile)
    assert found is not None  # noqa: S101 - callers keep to readable profiles
    return int(found["slices"]), int(found["gb"]), found["suffix"]
