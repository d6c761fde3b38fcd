"""The `pulumi` command as tests need it: in this process, with its state in files, and no cluster behind it.

It runs the program that is given to it and keeps what it registers. It knows enough of the engine to preview,
update, follow aliases, refuse to remove what is protected, and fail where a test says so. The real engine is run
in the engine lane.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import yaml
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error
from pulumi.runtime.proto import events_pb2, events_pb2_grpc
from semver import VersionInfo

from support.engine_program import Answer, Resource, registrations

Line = Callable[[str], Any]
_ABSENT: dict[str, Any] = {"inputs": {}, "outputs": {}, "dependencies": [], "parent": "", "provider": ""}
"""What a state leaves out where there is nothing to say."""
_MOMENT = "2026-11-21T00:00:00.000Z"


class FakeEngine:
    """Stands in for `aifactory.stacks.program.engine.Engine`."""

    command = "pulumi"

    def __init__(self, on_cancel: Callable[[], None] | None = None) -> None:
        """`on_cancel` is called when a run is stopped, as by a signal."""
        self.version = VersionInfo.parse("3.255.0")
        self.cancelled = False
        self.on_cancel = on_cancel
        self.calls: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.fails: dict[str, str] = {}
        """What the cluster says no to: a piece of a URN, and the message."""
        self.absent: tuple[str, ...] = ()
        """What a refresh doesn't find in the cluster: pieces of URNs."""
        self.charts: dict[str, str] = {}
        """Chart of each release in the cluster."""
        self.answer: Answer = lambda kind, name, inputs: (name, {})
        """What a resource has when it is made."""
        self.says: str = ""
        """What the engine itself fails with, if not empty."""

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Line | None = None,  # noqa: ARG002 - the engine's signature
        on_error: Line | None = None,  # noqa: ARG002 - the engine's signature
    ) -> CommandResult:
        """Run one command."""
        self.calls.append(list(args))
        self.environments.append(dict(additional_env))
        if self.says and args[0] in ("preview", "up", "destroy"):
            raise create_command_error(CommandResult("", self.says, 1))
        if args[:2] == ["stack", "ls"]:
            return CommandResult(json.dumps(_stacks(Path(cwd))), "", 0)
        state = _State(Path(cwd), args)
        verb = args[0] if args[0] not in ("stack", "state") else f"{args[0]} {args[1]}"
        output = getattr(self, f"_{verb.replace(' ', '_')}")(state, args)
        return CommandResult(output or "", "", 0)

    def _stack_select(self, state: _State, args: list[str]) -> None:
        if not state.path.is_file():
            raise create_command_error(CommandResult("", f"error: no stack named '{args[-1]}' found", 255))

    def _stack_init(self, state: _State, args: list[str]) -> None:
        kind = args[args.index("--secrets-provider") + 1]
        state.save([], {"type": kind, "state": {"salt": "v1:salt"}})

    def _stack_export(self, state: _State, args: list[str]) -> str:  # noqa: ARG002 - like the others
        return json.dumps(state.exported)

    def _stack_import(self, state: _State, args: list[str]) -> None:
        state.path.write_text(Path(args[args.index("--file") + 1]).read_text(encoding="utf-8"), encoding="utf-8")

    def _stack_output(self, state: _State, args: list[str]) -> str:
        outputs: dict[str, Any] = next(
            (one["outputs"] for one in state.resources if one["type"] == "pulumi:pulumi:Stack"), {}
        )
        shown = "--show-secrets" in args
        return json.dumps({name: _shown(value, shown) for name, value in outputs.items()})

    def _stack_history(self, state: _State, args: list[str]) -> str:  # noqa: ARG002 - like the others
        entry = {"kind": "update", "startTime": _MOMENT, "message": "", "environment": {}, "config": {}}
        return json.dumps([{**entry, "result": "succeeded"}])

    def _state_unprotect(self, state: _State, args: list[str]) -> None:
        resources = [{**one, "protect": one.get("protect") and one["urn"] != args[2]} for one in state.resources]
        state.save(resources, state.secrets)

    def _preview(self, state: _State, args: list[str]) -> None:
        self._update(state, args, dry=True)

    def _up(self, state: _State, args: list[str]) -> None:
        self._update(state, args, dry=False)

    def _update(self, state: _State, args: list[str], *, dry: bool) -> None:
        run = _Run(state, self.fails)
        made = registrations(_flag(args, "--client"), _flag(args, "--stack"), run.register, self.answer, dry=dry)
        leaving = [one for urn, one in run.before.items() if urn not in run.claimed]
        for one in reversed(leaving):
            run.remove(one)
        if not dry:
            kept = [one for one in leaving if one["urn"] in run.failed]
            state.save([*(one.as_state() for one in made if one.urn not in run.failed), *kept], state.secrets)
        self._finish(run, args)

    def _refresh(self, state: _State, args: list[str]) -> None:  # noqa: ARG002 - like the others
        there = [one for one in state.resources if not any(piece in one["urn"] for piece in self.absent)]
        live = [{**one, "outputs": one.get("outputs") or one.get("inputs") or self._release(one)} for one in there]
        state.save(live, state.secrets)

    def _release(self, one: dict[str, Any]) -> dict[str, Any]:
        """What is read of a release that the state knows by its name alone."""
        return {"chart": self.charts.get(one["urn"].rpartition("/")[2], "")}

    def _destroy(self, state: _State, args: list[str]) -> None:
        run = _Run(state, self.fails)
        staying = _needed(state.resources) if "--exclude-protected" in args else set()
        targets = {word for flag, word in pairwise(args) if flag == "--target"}
        if targets:
            staying = {one["urn"] for one in state.resources} - targets
            standing = {urn for one in state.resources if one["urn"] in staying for urn in one["dependencies"]}
            assert not standing & targets, "what stays stands on what goes"
        for one in reversed(state.resources):
            if one["urn"] in staying:
                run.tell("res_outputs", "same", one)
            else:
                run.remove(one)
        gone = run.before.keys() - staying - run.failed
        state.save([one for one in state.resources if one["urn"] not in gone], state.secrets)
        self._finish(run, args)

    def _finish(self, run: _Run, args: list[str]) -> None:
        _send(_flag(args, "--event-log"), run.events)
        if run.failed:
            raise create_command_error(CommandResult("", "error: update failed", 255))


class _Run:
    """One preview, update or removal: what is compared, and what is told of it."""

    def __init__(self, state: _State, fails: Mapping[str, str]) -> None:
        self.before = {one["urn"]: one for one in state.resources}
        self.claimed: set[str] = set()
        self.failed: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self._fails = fails

    def register(self, resource: Resource) -> bool:
        """Compare a registration with the state. False if the cluster says no."""
        old = next((self.before[urn] for urn in (resource.urn, *resource.aliases) if urn in self.before), None)
        new = resource.as_state()
        self.claimed.add(old["urn"] if old else resource.urn)
        op = "create" if old is None else "same" if old["inputs"] == new["inputs"] else "update"
        self.tell("resource_pre", op, new, old)
        message = next((text for piece, text in self._fails.items() if piece in resource.urn), None)
        if message is not None and op != "same":
            self._refuse(op, new, message)
            return False
        self.tell("res_outputs", op, new, old)
        return True

    def remove(self, old: dict[str, Any]) -> None:
        """Remove a resource, unless it is protected or the cluster says no."""
        self.tell("resource_pre", "delete", None, old)
        message = next((text for piece, text in self._fails.items() if piece in old["urn"]), None)
        if old.get("protect"):
            message = f'resource "{old["urn"]}" cannot be deleted because it is protected'
        if message is not None:
            self._refuse("delete", old, message)
        else:
            self.tell("res_outputs", "delete", None, old)

    def tell(self, kind: str, op: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None) -> None:
        """Put an event of a step on record."""
        about = new or old or {}
        metadata = {"op": op, "urn": about["urn"], "type": about["type"], "old": old, "new": new}
        names = {"resource_pre": "resourcePreEvent", "res_outputs": "resOutputsEvent", "failed": "resOpFailedEvent"}
        self.events.append({names[kind]: {"metadata": metadata}})

    def _refuse(self, op: str, about: dict[str, Any], message: str) -> None:
        self.failed.add(about["urn"])
        self.tell("failed", op, about)
        diagnostic = {"severity": "error", "urn": about["urn"], "message": message, "color": "never"}
        self.events.append({"diagnosticEvent": diagnostic})


class _State:
    """The file of one stack in a `file://` backend."""

    def __init__(self, folder: Path, args: list[str]) -> None:
        project = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
        stack = args[2] if args[:2] == ["stack", "init"] else _flag(args, "--stack")
        self.path = Path(project["backend"]["url"].removeprefix("file://"), f"{stack}.json")

    @property
    def exported(self) -> dict[str, Any]:
        """The state as `stack export` prints it."""
        found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The resources, in the order in which they were made."""
        found: list[dict[str, Any]] = self.exported["deployment"]["resources"]
        return [{**_ABSENT, **one} for one in found]

    @property
    def secrets(self) -> dict[str, Any]:
        """How the state is encrypted."""
        found: dict[str, Any] = self.exported["deployment"]["secrets_providers"]
        return found

    def save(self, resources: list[dict[str, Any]], secrets: dict[str, Any]) -> None:
        """Write the state."""
        manifest = {"time": str(time.time_ns())}
        deployment = {"manifest": manifest, "resources": resources, "secrets_providers": secrets}
        self.path.write_text(json.dumps({"version": 3, "deployment": deployment}), encoding="utf-8")


def _stacks(folder: Path) -> list[dict[str, Any]]:
    """Stacks of a backend, as `stack ls --json` prints them."""
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    states = Path(project["backend"]["url"].removeprefix("file://")).glob("*.json")
    return [{"name": f"organization/aifactory/{path.stem}", "current": False} for path in sorted(states)]


def _needed(resources: list[dict[str, Any]]) -> set[str]:
    """Protected resources, and what they need: parents, providers, what they wait for."""
    by_urn = {one["urn"]: one for one in resources}
    pending = [one["urn"] for one in resources if one.get("protect")]
    found: set[str] = set()
    while pending:
        urn = pending.pop()
        if urn in by_urn and urn not in found:
            found.add(urn)
            one = by_urn[urn]
            pending += [one["parent"], one["provider"].rpartition("::")[0], *one["dependencies"]]
    return found


def _send(address: str, events: list[dict[str, Any]]) -> None:
    def requests() -> Iterator[Any]:
        for event in events:
            yield events_pb2.EventRequest(event=json.dumps(event))
        yield events_pb2.EventRequest(event=json.dumps({"summaryEvent": {"resourceChanges": {}}}))

    with grpc.insecure_channel(address.removeprefix("tcp://")) as channel:
        events_pb2_grpc.EventsStub(channel).StreamEvents(requests())


def _flag(args: list[str], name: str) -> str:
    for index, arg in enumerate(args):
        if arg == name:
            return args[index + 1]
        if arg.startswith(f"{name}="):
            return arg.partition("=")[2]
    raise AssertionError(f"the engine is called without {name}: {args}")


def _shown(value: Any, plain: bool) -> Any:
    secret = isinstance(value, dict) and "secret" in value
    return value if not secret else value["secret"] if plain else "[secret]"
