"""A cluster is reached as its kubeconfig says, and who can't be reached is told from who says no."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.connection import Declined, KubeconfigConnection, Unreachable
from support.live import FakeServer
from support.proving.processes import free_port
from support.served_cluster import CONTEXT, Authority, kubeconfig, served

TOKEN = "canary-token"
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "research"}}


def test_importing_what_looks_at_clusters_does_not_load_the_client() -> None:
    asks = "import sys, aifactory.cli.engine_verbs, aifactory.cli.drifting; print('kubernetes' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def exec_plugin(folder: Path, api: str) -> dict[str, Any]:
    """A plugin that prints a token."""
    script = folder / "plugin"
    status = {"token": TOKEN, "expirationTimestamp": "2999-01-01T00:00:00Z"}
    said = json.dumps({"apiVersion": api, "kind": "ExecCredential", "status": status})
    script.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    script.chmod(0o755)
    return {"exec": {"apiVersion": api, "command": str(script), "interactiveMode": "Never"}}


def oidc(folder: Path) -> dict[str, Any]:
    """A user of an identity provider, with a token that holds for long."""
    body = base64.urlsafe_b64encode(json.dumps({"exp": 32_503_680_000}).encode()).decode().rstrip("=")
    token = f"e30.{body}.c2ln"
    config = {"id-token": token, "idp-issuer-url": "https://example.com", "client-id": "a", "refresh-token": "b"}
    return {"auth-provider": {"name": "oidc", "config": config}}


USERS = {
    "token": lambda folder: {"token": TOKEN},
    "exec v1": lambda folder: exec_plugin(folder, "client.authentication.k8s.io/v1"),
    "exec v1beta1": lambda folder: exec_plugin(folder, "client.authentication.k8s.io/v1beta1"),
    "oidc": oidc,
}


@pytest.mark.parametrize("form", USERS)
def test_each_kind_of_user_is_let_in(tmp_path: Path, form: str) -> None:
    server = FakeServer()
    server.put(SPACE)
    user = USERS[form](tmp_path)
    token = user["auth-provider"]["config"]["id-token"] if form == "oidc" else TOKEN
    with served(server, token=token) as url:
        connection = KubeconfigConnection(kubeconfig(tmp_path, url, user), CONTEXT)
        found = connection.call("GET", "/api/v1/namespaces/research")
        connection.close()
    assert found["metadata"]["name"] == "research"


def test_a_client_certificate_is_shown_and_that_of_the_server_is_checked(tmp_path: Path) -> None:
    server = FakeServer()
    server.put(SPACE)
    authority, other = Authority(tmp_path), tmp_path / "other"
    other.mkdir()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("server"))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority.file)
    certificate, key = authority.issue("admin")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with served(server, tls=tls) as url:
        known = kubeconfig(tmp_path, url, user, **{"certificate-authority": str(authority.file)})
        assert Cluster(KubeconfigConnection(known, CONTEXT)).kind("v1", "Namespace")
        stranger = kubeconfig(other, url, user, **{"certificate-authority": str(Authority(other).file)})
        with pytest.raises(Unreachable, match=r"certificate verify failed"):
            KubeconfigConnection(stranger, CONTEXT).call("GET", "/apis")


def test_refused_credentials_are_no_answer_and_are_not_shown(tmp_path: Path) -> None:
    with served(FakeServer(), token=TOKEN) as url:
        connection = KubeconfigConnection(kubeconfig(tmp_path, url, {"token": "canary-wrong"}), CONTEXT)
        with pytest.raises(Unreachable, match="the credentials are refused") as refused:
            connection.call("GET", "/apis")
    assert "canary" not in refused.value.says


def test_nobody_there_is_said_in_one_line(tmp_path: Path) -> None:
    connection = KubeconfigConnection(
        kubeconfig(tmp_path, f"http://127.0.0.1:{free_port()}", {"token": TOKEN}), CONTEXT
    )
    with pytest.raises(Unreachable, match=r"^it doesn't answer: .*refused$") as gone:
        connection.call("GET", "/apis")
    assert "object at 0x" not in gone.value.says


def test_a_no_has_its_code_and_message(tmp_path: Path) -> None:
    server = FakeServer()
    server.declines = {"/api/v1/namespaces": (403, "admin may not")}
    with served(server) as url:
        connection = KubeconfigConnection(kubeconfig(tmp_path, url, {"token": TOKEN}), CONTEXT)
        with pytest.raises(Declined, match="403: admin may not"):
            connection.call("GET", "/api/v1/namespaces")


@pytest.mark.parametrize(
    ("text", "context"),
    [("contexts: []", CONTEXT), ("clusters: [", CONTEXT), ("users: [{name: a, user: {token: canary-x}}]", "none")],
)
def test_a_kubeconfig_that_cannot_be_used_is_not_quoted(tmp_path: Path, text: str, context: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreachable, match="can't be used") as wrong:
        KubeconfigConnection(path, context)
    assert "canary" not in wrong.value.says


def test_an_exec_plugin_that_fails_is_told_without_its_output(tmp_path: Path) -> None:
    script = tmp_path / "plugin"
    script.write_text("#!/bin/sh\necho canary-output >&2\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    api = "client.authentication.k8s.io/v1"
    user = {"exec": {"apiVersion": api, "command": str(script), "interactiveMode": "Never"}}
    with served(FakeServer(), token=TOKEN) as url, pytest.raises(Unreachable) as failed:
        KubeconfigConnection(kubeconfig(tmp_path, url, user), CONTEXT).call("GET", "/apis")
    assert "canary" not in failed.value.says
