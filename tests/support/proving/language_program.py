"""Runs one Pulumi program in this process, for `language_host.py`, by the program's own Python.

Its argument is what to run, as JSON; settings of the stack are in the environment variables that the SDK reads. The
exit code is 0, 1 after an error that the program meant to tell (`pulumi.RunError`), and 32 after any other, which is
told with the program's part of the traceback.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
# What lies beside this file is no business of the program, which may have modules of the same names.
sys.path[:] = [path for path in sys.path if path != HERE]

try:
    import pulumi
    import pulumi.runtime
except ImportError:
    sys.stderr.write(f"{traceback.format_exc()}\nIt looks like the Pulumi SDK has not been installed.\n")
    sys.exit(1)

SHOWN_TO_THE_USER = 32


def main(asked: dict[str, Any]) -> int:
    """Run it, and return the exit code."""
    runtime = pulumi.runtime
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(runtime.Settings(**asked["settings"]))
    if asked["pwd"]:
        os.chdir(asked["pwd"])
    program = asked["program"]
    sys.argv = [program, *asked["args"]]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a program that failed leaves tasks behind
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max(asked["settings"]["parallel"], 1) * 4) as executor:
        loop.set_default_executor(executor)
        if os.path.isdir(program) and not os.path.isfile(os.path.join(program, "__main__.py")):
            pulumi.log.error(f"unable to find main python program `__main__.py` in `{os.path.abspath(program)}`")
            return SHOWN_TO_THE_USER
        try:
            loop.run_until_complete(runtime.run_in_stack(lambda: _run(program)))
        except pulumi.RunError as error:
            pulumi.log.error(str(error))
            return 1
        except Exception:  # noqa: BLE001 - it is the user's
            pulumi.log.error(f"Program failed with an unhandled exception:\n{_traceback(os.path.abspath(program))}")
            return SHOWN_TO_THE_USER
    return 0


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _traceback(program: str) -> str:
    """The traceback from the program on."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    first = next((index for index, frame in enumerate(frames) if _is_of(frame.filename, program)), 0)
    return traceback.format_exc(limit=first - len(frames))


def _is_of(file: str, program: str) -> bool:
    return os.path.abspath(file) in (program, os.path.join(program, "__main__.py"))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
