"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, and nodes of kwok."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.proving.api import MANAGER, Api, Refused
from support.proving.processes import PATIENCE_S, Died, Server, answers, free_port
from support.proving.stages import STAGES
from support.proving.tools import paths

TOKEN = "admin-of-the-proving-ground"
CONTEXT = "proving-ground"
SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DATA = "etcd"
SPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class ControlPlane:
    """Servers of one cluster. Use it as a context: they end with it."""

    def __init__(self, folder: Path) -> None:
        """`folder` gets data and logs. Raises Missing without the tools."""
        self.folder = folder
        self.port = free_port()
        self.kubeconfig = folder / "kubeconfig"
        self.servers: dict[str, Server] = {}
        self._words: dict[str, list[str]] = {}
        self._tools = paths("etcd", "kubernetes", "kwok")
        authority = folder / "certificates" / "apiserver.crt"
        self.api = Api(f"https://127.0.0.1:{self.port}", TOKEN, str(authority))

    def __enter__(self) -> ControlPlane:
        """Start all, and wait until the API answers."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all, the last first, and at once: what they would still write is thrown away, and so are the data.

        etcd sets 128 MB aside for its journal. A run makes a hundred clusters, which filled a disk.
        """
        self.api.close()
        for server in reversed(self.servers.values()):
            server.kill()
        shutil.rmtree(self.folder / _DATA, ignore_errors=True)

    def add_nodes(self, nodes: Iterable[Mapping[str, Any]]) -> None:
        """Simulated nodes, with the labels, taints and capacity of their objects. Waits until they are ready."""
        wanted = [dict(node) for node in nodes]
        for node in wanted:
            self.api.call("POST", "/api/v1/nodes", node)
        if "kwok" not in self.servers:
            stages = self.folder / "stages.yaml"
            stages.write_text(STAGES, encoding="utf-8")
            words = ["--manage-all-nodes=true", f"--server-address=127.0.0.1:{free_port()}", f"--config={stages}"]
            self._run("kwok", [f"--kubeconfig={self.kubeconfig}", *words])
        self.wait(
            lambda: self._simulates() and all(_is_ready(self.api.get(node)) for node in wanted), "nodes are ready"
        )

    def _simulates(self) -> bool:
        """Whether kwok runs. Started again if not: 0.8.0 writes a map from two threads at its start, and may die of it
        (`easycel.getTypeValue`, "concurrent map writes")."""
        alive = self.servers["kwok"].alive
        if not alive:
            self._run("kwok", self._words["kwok"])
        return alive

    def define(self, definitions: Iterable[Any], manager: str = MANAGER) -> list[Any]:
        """Make resource definitions, and wait until objects of them can be made. Returns them."""
        made = list(definitions)
        for each in made:
            self.api.apply(each, manager=manager)
        self.wait(lambda: all(_is_served(self.api.get(each)) for each in made), "definitions are served")
        return made

    def wait(self, holds: Callable[[], bool], what: str, patience_s: float = 180) -> None:
        """Wait until something holds. Raises AssertionError with what didn't."""
        until = time.monotonic() + patience_s
        while not holds():
            assert time.monotonic() < until, f"not within {patience_s:g} s: {what}"
            time.sleep(0.1)

    def restart_api_server(self) -> None:
        """End the API server as a crash would, and start it again on the same port with the same data."""
        words = self._words["kube-apiserver"]
        self.servers["kube-apiserver"].kill()
        until = time.monotonic() + PATIENCE_S
        while True:
            server = self._run("kube-apiserver", words)
            try:
                server.wait_until(self._is_up)
            except Died:
                server.kill()
                # The one that was killed needs a moment to give back its memory, and its port last.
                if "address already in use" not in server.tail() or time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                self._establish()
                return

    def _establish(self) -> None:
        """Serve the definitions whose names are accepted.

        The API server does so five seconds later from a queue in its memory, and one that starts doesn't look for
        those that another left (kubernetes 1.36, `apiextensions-apiserver/pkg/controller/establish`): they would
        never be served. A person who runs a cluster would set the condition too.
        """
        for each in self.api.call("GET", _DEFINITIONS)["items"]:
            conditions = {one["type"]: one for one in each.get("status", {}).get("conditions", ())}
            names, established = (conditions.get(kind, {}).get("status") for kind in ("NamesAccepted", "Established"))
            if names == "True" and established == "False":
                conditions["Established"].update(status="True", reason="InitialNamesAccepted")
                patch = {"status": {"conditions": list(conditions.values())}}
                path = f"{_DEFINITIONS}/{each['metadata']['name']}/status"
                self.api.call("PATCH", path, patch, "application/merge-patch+json")

    def _run(self, name: str, words: list[str]) -> Server:
        self._words[name] = words
        server = Server(name, [self._tools[name], *words], self.folder, {"GOMAXPROCS": "1"} if name == "kwok" else None)
        self.servers[name] = server
        return server

    def _start(self) -> None:
        client, peer = free_port(), free_port()
        self._etcd(client, peer)
        key = _key(self.folder / "accounts.key")
        (self.folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n", encoding="utf-8")
        self._api_server(client, key)
        self.kubeconfig.write_text(json.dumps(self._kubeconfig()), encoding="utf-8")
        own = [f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0"]
        self._run("kube-controller-manager", [*own, f"--service-account-private-key-file={key}"])
        self._run("kube-scheduler", own)
        # Without its account the admission of pods refuses them: the controllers make it a moment after the start.
        self.wait(lambda: all(self.api.get(_account(space)) is not None for space in SPACES), "the controllers work")

    def _etcd(self, client: int, peer: int) -> None:
        url, other = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        server = self._run(
            "etcd",
            [
                f"--data-dir={self.folder / _DATA}",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls={other}",
                f"--initial-advertise-peer-urls={other}",
                f"--initial-cluster=default={other}",
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
        )
        server.wait_until(lambda: answers(f"{url}/health"))

    def _api_server(self, etcd: int, key: Path) -> None:
        server = self._run(
            "kube-apiserver",
            [
                f"--etcd-servers=http://127.0.0.1:{etcd}",
                f"--cert-dir={self.folder / 'certificates'}",
                "--bind-address=127.0.0.1",
                "--endpoint-reconciler-type=none",  # it would refuse an address of loopback
                f"--secure-port={self.port}",
                f"--token-auth-file={self.folder / 'tokens.csv'}",
                "--service-account-issuer=https://proving-ground.example.com",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-cluster-ip-range=10.0.0.0/16",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",
            ],
        )
        server.wait_until(self._is_up)

    def _is_up(self) -> bool:
        try:
            return bool(self.api.call("GET", "/readyz") == "ok")
        except (OSError, Refused):
            return False

    def _kubeconfig(self) -> dict[str, Any]:
        cluster = {"server": self.api.url, "certificate-authority": str(self.folder / "certificates" / "apiserver.crt")}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": {"token": TOKEN}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        }


def _account(space: str) -> dict[str, Any]:
    metadata = {"name": "default", "namespace": space}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _is_ready(node: Any) -> bool:
    conditions = (node or {}).get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _is_served(definition: Any) -> bool:
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _key(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return path
