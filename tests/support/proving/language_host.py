"""Stands in for `pulumi-language-python` where the real one is missing, so that plain `pulumi` commands run programs.

Run by its path, with the engine's address as the last argument: it prints its port and serves the engine's
`LanguageRuntime` contract. It runs each program and plugin in a process of its own, by the Python that the project's
options name, as the real one does. It makes no environments, knows the toolchain pip alone, and generates no code.

Imports nothing of `support`: it would need a path that programs could then import from.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

VERSION = "3.255.0"
RUNNER = Path(__file__).with_name("language_program.py")
SHOWN_TO_THE_USER = 32
"""Exit code of a program that has told its error."""
GRACE_S = 3
LISTING = """
import importlib.metadata, json, platform, sys
def plugin(each):
    files = [path for path in each.files or () if path.name == "pulumi-plugin.json" and len(path.parts) == 2]
    return json.loads(files[0].locate().read_text()) if files else None
found = [(each.metadata["Name"], each.version, plugin(each)) for each in importlib.metadata.distributions()]
print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "packages": sorted(found)}))
"""


class Unusable(Exception):
    """The Python that a project asks for can't be used. Says so as the real host does."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service. Method names are the contract's."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the name in the contract
        self.engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
        """A plugin for each installed package that says that it has one."""
        with _refusals(context):
            found = [plugin for _, _, plugin in _installed(request.info)["packages"] if plugin]
        packages = [
            plugin_pb2.PackageDependency(name=each["name"], kind="resource", version=f"v{each['version']}")
            for each in found
            if each.get("resource")
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
        with _refusals(context):
            found = _installed(request.info)
        return language_pb2.AboutResponse(executable=found["executable"], version=found["version"])

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
        with _refusals(context):
            found = _installed(request.info)["packages"]
        listed = [language_pb2.DependencyInfo(name=name, version=version) for name, version, _ in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=listed)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - as above
        """Take an environment that is there as it is; refuse to make one."""
        with _refusals(context):
            _python(request.info, os.environ, otherwise="venv" if request.is_plugin else "")
        yield language_pb2.InstallDependenciesResponse(stdout=b"This language host installs nothing.\n")

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
        """Run a program to its end. Its output is ours, which the engine shows."""
        asked = {
            "program": request.info.entry_point,
            "args": list(request.args),
            "pwd": request.pwd,
            "settings": {
                "project": request.project,
                "root_directory": request.info.root_directory,
                "stack": request.stack,
                "organization": request.organization,
                "monitor": request.monitor_address,
                "engine": self.engine,
                "dry_run": request.dryRun,
                "parallel": request.parallel,
            },
        }
        configured = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        with _refusals(context):
            python, environment = _python(request.info, os.environ)
        words = [python, str(RUNNER), json.dumps(asked)]
        with self._child(words, context, env={**environment, **configured}) as child:
            code = child.wait()
        if code in (0, SHOWN_TO_THE_USER):
            return language_pb2.RunResponse(bail=code != 0)
        # A program that a signal ended counts as -1, in Go.
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {max(code, -1)}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - as above
        """Run a policy pack, or a plugin that is a folder, to its end. Its output goes to who asked."""
        folder = request.info.program_directory
        given = dict(each.partition("=")[::2] for each in request.env)
        with _refusals(context):
            python, environment = _python(request.info, {**os.environ, **given}, otherwise="venv")
        words = [python, folder, *request.args]
        if request.kind == "analyzer":
            words = [python, "-u", "-m", "pulumi.policy", *request.args, folder]
        pwd = folder if request.kind == "analyzer" else request.pwd
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self._child(words, context, env=environment, cwd=pwd, **pipes) as child:
            for name, piece in _pieces({"stdout": child.stdout, "stderr": child.stderr}):
                answer = language_pb2.RunPluginResponse
                yield answer(stdout=piece) if name == "stdout" else answer(stderr=piece)
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        self.end()
        return empty_pb2.Empty()

    def end(self) -> None:
        """End what still runs."""
        for child in list(self._children):
            _end(child)

    @contextmanager
    def _child(self, words: list[str], context: Any, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """A process that ends at the latest with the call that asked for it."""
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, **options)
        self._children.add(child)
        context.add_callback(lambda: _end(child))
        try:
            yield child
        finally:
            _end(child)
            self._children.discard(child)


@contextmanager
def _refusals(context: Any) -> Iterator[None]:
    try:
        yield
    except Unusable as unusable:
        context.abort(grpc.StatusCode.UNKNOWN, str(unusable))


def _python(info: Any, environment: Mapping[str, str], otherwise: str = "") -> tuple[str, dict[str, str]]:
    """The Python that a project's options name, and an environment in which it is active.

    Without `virtualenv` it is the one on PATH; for plugins, the one in `venv`.
    """
    options = json_format.MessageToDict(info.options)
    toolchain = options.get("toolchain", "pip")
    if toolchain != "pip":
        raise Unusable(f"this language host knows the toolchain pip alone, and Pulumi.yaml says {toolchain}")
    named = options.get("virtualenv", otherwise)
    if not named:
        on_path = shutil.which(environment.get("PULUMI_PYTHON_CMD", "python3"), path=environment.get("PATH"))
        if on_path is None:
            raise Unusable("failed to locate any of [python3] on your PATH. Have you installed Python 3.6 or greater?")
        return on_path, dict(environment)
    folder = Path(info.root_directory, named)
    if not (folder / "bin/python").is_file():
        raise Unusable(_no_environment(named, folder))
    active = {name: value for name, value in environment.items() if name != "PYTHONHOME"}
    active |= {"VIRTUAL_ENV": str(folder), "PATH": f"{folder / 'bin'}{os.pathsep}{environment.get('PATH', '')}"}
    return str(folder / "bin/python"), active


def _no_environment(named: str, folder: Path) -> str:
    """The real host's words."""
    what = "doesn't appear to be a virtual environment" if folder.exists() else "doesn't exist"
    return (
        f'The \'virtualenv\' option in Pulumi.yaml is set to "{named}", but "{folder}" {what}; run the following '
        "commands to create the virtual environment and install dependencies into it:\n\n"
        f"    1. python3 -m venv {folder}\n"
        f"    2. {folder}/bin/python -m pip install --upgrade pip setuptools wheel\n"
        f"    3. {folder}/bin/python -m pip install -r requirements.txt\n"
    )


def _installed(info: Any) -> Any:
    python, environment = _python(info, os.environ)
    ran = subprocess.run([python, "-c", LISTING], env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Unusable(f"{python} can't list its packages: {ran.stderr.strip()}")
    return json.loads(ran.stdout)


def _pieces(streams: Mapping[str, IO[bytes] | None]) -> Iterator[tuple[str, bytes]]:
    """What comes out of streams, until all have ended."""
    queue: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def read(name: str, stream: IO[bytes] | None) -> None:
        while piece := os.read(stream.fileno(), 65_536) if stream else b"":
            queue.put((name, piece))
        queue.put((name, b""))

    for name, stream in streams.items():
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    running = len(streams)
    while running:
        name, piece = queue.get()
        if piece:
            yield name, piece
        else:
            running -= 1


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and end it when it doesn't."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _after_our_input(act: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    act()


def main() -> None:
    """Serve until the engine interrupts, or is gone."""
    host = LanguageHost(sys.argv[-1])
    server = grpc.server(futures.ThreadPoolExecutor(32))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    # The engine holds the other end of our input: it closes even when the engine is killed.
    threading.Thread(target=_after_our_input, args=(over.set,), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    over.wait()
    host.end()
    server.stop(0).wait(GRACE_S)
    os._exit(0)  # a thread that still reads our input would hold up a plain exit


if __name__ == "__main__":
    main()
