"""Runs the real command: in this process where that is enough, as a process of its own where limits matter."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from aifactory.cli.main import main

COMMAND = Path(sys.executable).with_name("aifactory")
"""The installed command of this environment."""

MEMORY_BYTES = 1 << 30
CPU_S = 30
"""What a process of its own may use: an order above what any input of the tests needs."""
LIMITED = f'ulimit -v {MEMORY_BYTES // 1024} && ulimit -t {CPU_S} && exec "$@"'
"""Limits by a shell: code between fork and exec would run the handlers of libraries with threads, gRPC's among them."""


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def call(*words: object, cwd: Path | None = None) -> Ran:
    """Run the command in this process, as if its output were a pipe."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code
    return Ran(int(code or 0), _read(out), _read(err))


def spawn(
    *words: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Ran:
    """Run the command as a process of its own, with bounded memory and time. `env` is added to ours."""
    ran = subprocess.run(
        ["sh", "-c", LIMITED, "sh", COMMAND, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin.encode(),
        capture_output=True,
        timeout=10 * CPU_S,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of each file below a folder, links not followed."""
    return {
        path.relative_to(folder).as_posix(): b"link" if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def _read(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
