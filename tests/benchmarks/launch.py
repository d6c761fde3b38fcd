"""Runs one command and prints its wall time, peak memory and exit code: `python -I -S launch.py COMMAND…`.

A process of its own, because Linux counts the memory of the parent as the child's until the child has its own
program: under a large parent, every command would look as large. Standard output goes to standard error.
"""

import json
import os
import sys
import time

started = time.perf_counter()
child = os.posix_spawnp(
    sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, sys.stderr.fileno(), 1)]
)
_, status, usage = os.wait4(child, 0)
wall_s = time.perf_counter() - started
unit = 1 if sys.platform == "darwin" else 1024
result = {
    "wall_s": wall_s,
    "peak_bytes": usage.ru_maxrss * unit,
    "exit_code": os.waitstatus_to_exitcode(status),
}
print(json.dumps(result))
