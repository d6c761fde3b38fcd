"""The machine that was measured on, in words that another person can compare with theirs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def described() -> str:
    """One line: processor, cores, memory, system, Python and the versions that speed depends on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("pydantic", "pyyaml", "pulumi"))
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return (
        f"{_processor()}, {_cores()} cores, {memory_gib:.0f} GiB, {system}, "
        f"{platform.python_implementation()} {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
