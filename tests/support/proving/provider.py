"""Stands in for `pulumi-resource-kubernetes` where the real plugin can't be had: a provider over the same contract.

Meant to be never laxer than the real one (4.34): a preview asks the server (a dry run; kinds that it doesn't know yet
are let pass), a create fails on an object that exists, an update is a server-side apply that fails on fields of
another manager, a removal waits for what the object owns, readiness is awaited within a timeout, releases go through
Helm, and a change of `clusterIdentifier` replaces everything. Not there: patch resources, `helm.sh/v4`, YAML and
Kustomize components, rendering to a folder, schemas, invokes.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from aifactory.components.names import HELM_RELEASE_TOKEN
from support.proving.api import Api, Refused
from support.proving.cluster_objects import NotReady, Objects
from support.proving.comparing import changes, cleaned, pruned
from support.proving.faults import Faults, Injected
from support.proving.processes import end_with_parent
from support.proving.releases import HelmFailed, Releases
from support.proving.waiting import unready_when_read
from support.proving.wire import has_unknown, partly_made, plain, struct

VERSION = "4.34.2"
CHARTS = "PROVING_CHARTS"
HELM = "PROVING_HELM"
_MANAGER = "__fieldManager"
_INPUTS = "__inputs"
_VERSION_THEN = "__initialApiVersion"
_OURS = (_MANAGER, _INPUTS, _VERSION_THEN)
Properties = dict[str, Any]


class Unreachable(Exception):
    """The configured cluster doesn't answer."""


class Kubernetes(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider."""

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self._faults = Faults(os.environ)
        self._objects: Objects | None = None
        self._releases: Releases | None = None
        self._why_unreachable = "not configured"
        self._mutable_maps = False

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Who this is."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Any settings: the SDK knows which there are."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another cluster replaces all; another way to reach the same one changes nothing there."""
        old, new = plain(request.olds), plain(request.news)
        named = old.get("clusterIdentifier"), new.get("clusterIdentifier")
        replaced = ["clusterIdentifier"] if named[0] != named[1] else []
        if not named[1] and old.get("kubeconfig") != new.get("kubeconfig"):
            replaced = ["kubeconfig"]
        differ = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        kinds = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(
            changes=kinds.DIFF_SOME if differ else kinds.DIFF_NONE, diffs=differ, replaces=replaced
        )

    def Configure(self, request: Any, context: Any) -> Any:
        """Find the cluster. One that doesn't answer is an error later, as with the real provider."""
        settings = plain(request.args)
        self._mutable_maps = settings.get("enableConfigMapMutable") == "true"
        file, wanted = str(settings.get("kubeconfig", "")), str(settings.get("context", ""))
        try:
            file = kubeconfig_file(file)
            api = client(file, wanted)
            api.call("GET", "/version")
        except (OSError, Refused, Unreachable) as error:
            self._why_unreachable = str(error)
        else:
            force = settings.get("enablePatchForce") == "true"
            upsert = settings.get("upsertExistingObjects") == "true"
            self._objects = Objects(api, upsert=upsert, force=force, cancelled=self._cancel.is_set)
            charts = Path(os.environ.get(CHARTS, "/nonexistent"))
            self._releases = Releases(file, wanted, charts, os.environ.get(HELM, "helm"))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        """Inputs as they are kept."""
        inputs = plain(request.news)
        if _is_release(request.urn):
            if self._releases is not None and not has_unknown(inputs):
                try:
                    inputs = self._releases.checked(inputs)
                except HelmFailed as error:
                    reason = provider_pb2.CheckFailure(property="chart", reason=str(error))
                    return provider_pb2.CheckResponse(inputs=request.news, failures=[reason])
            return provider_pb2.CheckResponse(inputs=struct(inputs))
        missing = [key for key in ("apiVersion", "kind", "metadata") if key not in inputs]
        failures = [provider_pb2.CheckFailure(property=key, reason="is required") for key in missing]
        if not missing and not inputs["metadata"].get("name"):
            failures.append(
                provider_pb2.CheckFailure(property="metadata.name", reason="names are given by the program")
            )
        return provider_pb2.CheckResponse(inputs=struct(inputs), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        """What the new inputs change."""
        state, asked = plain(request.olds), plain(request.news)
        if _is_release(request.urn):
            before = dict(state.get(_INPUTS, {}))
            found = changes(before, asked, mutable_maps=True)
            replaces = [each.path for each in found if each.path in ("name", "namespace")]
        else:
            before = pruned(_live(state), cleaned(state.get(_INPUTS, {})))
            found = changes(before, cleaned(asked), mutable_maps=self._mutable_maps)
            replaces = [each.path for each in found if each.replaces]
        kinds = provider_pb2.PropertyDiff
        named = {"add": kinds.ADD, "update": kinds.UPDATE, "delete": kinds.DELETE}
        replacing = {"add": kinds.ADD_REPLACE, "update": kinds.UPDATE_REPLACE, "delete": kinds.DELETE_REPLACE}
        detail = {each.path: kinds(kind=(replacing if each.path in replaces else named)[each.kind]) for each in found}
        same_name = _identity(before) == _identity(asked)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and same_name and not _is_release(request.urn),
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Make it, or ask the server whether it would."""
        asked = plain(request.properties)
        if request.preview and (_is_release(request.urn) or not self._can_ask(asked)):
            return provider_pb2.CreateResponse(properties=request.properties)
        with _Failing(context, asked) as failing:
            manager = f"pulumi-kubernetes-{secrets.token_hex(4)}"
            breaks = not request.preview and self._faults.before(request.urn)
            if _is_release(request.urn):
                state = self._release_hub().install(asked)
            else:
                failing.manager = manager
                if request.preview and self._hub().api.get(asked) is not None:
                    return provider_pb2.CreateResponse(properties=request.properties)
                live = self._hub().create(asked, manager, dry=request.preview, timeout_s=request.timeout)
                state = _checkpoint(asked, live, manager, preview=request.preview)
            if breaks:
                self._faults.after()
            return provider_pb2.CreateResponse(id="" if request.preview else _identity(asked), properties=struct(state))

    def Update(self, request: Any, context: Any) -> Any:
        """Change it, or ask the server whether it would."""
        state, asked = plain(request.olds), plain(request.news)
        if request.preview and (_is_release(request.urn) or not self._can_ask(asked)):
            return provider_pb2.UpdateResponse(properties=request.news)
        with _Failing(context, asked) as failing:
            breaks = not request.preview and self._faults.before(request.urn)
            if _is_release(request.urn):
                done = self._release_hub().upgrade(asked)
            else:
                failing.manager = manager = str(state.get(_MANAGER, "pulumi-kubernetes"))
                live = self._hub().update(asked, manager, dry=request.preview, timeout_s=request.timeout)
                done = _checkpoint(asked, live, manager, preview=request.preview)
            if breaks:
                self._faults.after()
            return provider_pb2.UpdateResponse(properties=struct(done))

    def Read(self, request: Any, context: Any) -> Any:
        """How it is now: nothing when it is gone."""
        state, inputs = plain(request.properties), plain(request.inputs)
        with _Failing(context, inputs):
            if _is_release(request.urn):
                return self._read_release(request, state)
            hub = self._hub()
            asked = inputs or _named(request.urn, request.id)
            live = hub.api.get(asked) if hub.knows(asked) else None
            if live is None:
                return provider_pb2.ReadResponse()
            manager = str(state.get(_MANAGER, f"pulumi-kubernetes-{secrets.token_hex(4)}"))
            now = pruned(cleaned(live), cleaned(inputs)) if inputs else _without_status(cleaned(live))
            kept = struct(_checkpoint(now, live, manager, preview=False))
            why = unready_when_read(hub.api, inputs, live) if inputs else None
            if why is not None:
                partly_made(context, request.id, kept, why, struct(now))
            return provider_pb2.ReadResponse(id=request.id, properties=kept, inputs=struct(now))

    def Delete(self, request: Any, context: Any) -> Any:
        """Remove it, and wait until it is gone."""
        state = plain(request.properties)
        with _Failing(context, dict(state.get(_INPUTS, {}))):
            breaks = self._faults.before(request.urn)
            if _is_release(request.urn):
                self._release_hub().uninstall(state)
            else:
                self._hub().delete(_live(state), request.timeout)
            if breaks:
                self._faults.after()
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """End what is being awaited."""
        self._cancel.set()
        return empty_pb2.Empty()

    def _read_release(self, request: Any, state: Properties) -> Any:
        hub = self._release_hub()
        namespace, name = str(request.id).split("/")
        found = hub.status(namespace, name)
        if found is None:
            return provider_pb2.ReadResponse()
        inputs = dict(state.get(_INPUTS) or {})
        if "chart" in inputs:
            live = found["chart"].removeprefix(f"{inputs['chart'].rpartition('/')[2]}-")
            inputs = {**inputs, "version": live}
        else:
            inputs = hub.imported(namespace, name)
        return provider_pb2.ReadResponse(
            id=request.id, properties=struct(hub.checkpoint(inputs)), inputs=struct(inputs)
        )

    def _hub(self) -> Objects:
        if self._objects is None:
            raise Unreachable(f"configured Kubernetes cluster is unreachable: {self._why_unreachable}")
        return self._objects

    def _release_hub(self) -> Releases:
        if self._releases is None:
            raise Unreachable(f"can't use Helm Release with unreachable cluster. Reason: {self._why_unreachable}")
        return self._releases

    def _can_ask(self, asked: Properties) -> bool:
        """Whether a preview can ask the server: it is there, knows the kind and the namespace, and all is known."""
        if self._objects is None or has_unknown(asked) or not self._objects.knows(asked):
            return False
        namespace = asked["metadata"].get("namespace")
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        return not namespace or self._objects.api.get(space) is not None


class _Failing:
    """Turns what goes wrong into the answer that the protocol has for it."""

    def __init__(self, context: Any, asked: Properties) -> None:
        self._context = context
        self._asked = asked
        self.manager = "pulumi-kubernetes"

    def __enter__(self) -> _Failing:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, NotReady):
            state = struct(_checkpoint(self._asked, error.live, self.manager, preview=False))
            partly_made(self._context, _identity(self._asked), state, str(error))
        elif isinstance(error, HelmFailed) and error.exists:
            state = struct({**self._asked, _INPUTS: self._asked})
            partly_made(self._context, _identity(self._asked), state, str(error))
        elif isinstance(error, Refused):
            if error.code == 409 and "already exists" in error.says:
                self._context.abort(grpc.StatusCode.ALREADY_EXISTS, error.says)
            self._context.abort(grpc.StatusCode.UNKNOWN, error.says)
        elif isinstance(error, HelmFailed | Unreachable | Injected | OSError):
            self._context.abort(grpc.StatusCode.UNKNOWN, str(error))


def kubeconfig_file(given: str) -> str:
    """The path of a kubeconfig, which may be given as its content: then it goes into a file that ends with us."""
    if not given.lstrip().startswith("{"):
        return given
    folder = Path(mkdtemp(prefix="proving-kubeconfig-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "config"
    file.write_text(given, encoding="utf-8")
    return str(file)


def client(kubeconfig: str, context: str) -> Api:
    """A client for a context of a kubeconfig, which is a path. Raises Unreachable if it names no cluster."""
    try:
        found = yaml.safe_load(Path(kubeconfig).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreachable(f"{kubeconfig}: {error.strerror}") from None
    named = {kind: {one["name"]: one for one in found[kind]} for kind in ("contexts", "clusters", "users")}
    if context not in named["contexts"]:
        raise Unreachable(f'context "{context}" does not exist')
    chosen = named["contexts"][context]["context"]
    cluster, user = named["clusters"][chosen["cluster"]]["cluster"], named["users"][chosen["user"]]["user"]
    authority = cluster.get("certificate-authority")
    if authority is None:
        kept = Path(kubeconfig).expanduser().with_suffix(".authority")
        kept.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        authority = str(kept)
    return Api(cluster["server"], user["token"] if "token" in user else _signed_in(user["exec"]), authority)


def _signed_in(command: Properties) -> str:
    """A token, as a kubeconfig's command says it. Raises Unreachable if it doesn't."""
    ran = subprocess.run(
        [command["command"], *command["args"]], capture_output=True, text=True, check=False, timeout=60
    )
    if ran.returncode:
        raise Unreachable(f"{command['command']} ended with {ran.returncode}: {ran.stderr.strip()}")
    return str(json.loads(ran.stdout)["status"]["token"])


def _is_release(urn: str) -> bool:
    return urn.split("::")[2].rpartition("$")[2] == HELM_RELEASE_TOKEN


def _identity(asked: Properties) -> str:
    named = asked.get("metadata", asked)
    return f"{named['namespace']}/{named['name']}" if named.get("namespace") else str(named.get("name", ""))


def _named(urn: str, identifier: str) -> Properties:
    """An object of which only the name is known, for an import."""
    _, version, kind = urn.split("::")[2].rpartition("$")[2].split(":")
    namespace, _, name = identifier.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version.removeprefix("core/"), "kind": kind, "metadata": metadata}


def _live(state: Properties) -> Properties:
    return {key: value for key, value in state.items() if key not in _OURS}


def _without_status(body: Properties) -> Properties:
    return {key: value for key, value in body.items() if key != "status"}


def _checkpoint(asked: Properties, live: Properties, manager: str, *, preview: bool) -> Properties:
    shown = _without_status(live) if preview else live
    return {**shown, _INPUTS: asked, _VERSION_THEN: asked.get("apiVersion", ""), _MANAGER: manager}


def main() -> None:
    """Serve until the engine is done."""
    end_with_parent()
    limits = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
    server = grpc.server(futures.ThreadPoolExecutor(64), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Kubernetes(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
