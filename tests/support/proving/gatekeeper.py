"""Gatekeeper's real manager beside a control plane, with the definitions and hooks that its project deploys."""

from __future__ import annotations

from typing import Any

from support.proving.control_plane import ControlPlane
from support.proving.modules import documents, sources
from support.proving.processes import Server, answers, free_port
from support.proving.tools import paths
from support.proving.webhooks import LOOPBACK, Certificates, redirected

GATEKEEPER = "github.com/open-policy-agent/gatekeeper/v3"
SPACE = "gatekeeper-system"
POD = "gatekeeper-of-the-proving-ground"
OPERATIONS = ("webhook", "audit", "status", "generate")
"""Without `generate` no kind is made of a template."""
VALIDATING = "ValidatingWebhookConfiguration"


def start_gatekeeper(plane: ControlPlane) -> None:
    """Run Gatekeeper's manager until the plane ends. Raises Missing."""
    binary = paths("gatekeeper")["gatekeeper"]
    deployed = list(documents(sources("gatekeeper", GATEKEEPER) / "deploy" / "gatekeeper.yaml"))
    certificates = Certificates(plane.folder / "gatekeeper", "gatekeeper-ca", f"gatekeeper-webhook-service.{SPACE}.svc")
    port, health = free_port(), free_port()
    plane.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    plane.define([each for each in deployed if each["kind"] == "CustomResourceDefinition"])
    plane.api.apply(_pod())
    words = [
        f"--kubeconfig={plane.kubeconfig}",
        *(f"--operation={operation}" for operation in OPERATIONS),
        f"--host={LOOPBACK}",
        f"--port={port}",
        f"--cert-dir={certificates.folder}",
        "--disable-cert-rotation",
        f"--health-addr={LOOPBACK}:{health}",
        # Its Prometheus exporter would listen on every address. This one sends, here to nobody.
        "--metrics-backend=opentelemetry",
        f"--otlp-endpoint={LOOPBACK}:{free_port()}",
        f"--exempt-namespace={SPACE}",
        "--shutdown-delay=0",
    ]
    server = Server("gatekeeper", [binary, *words], plane.folder, {"POD_NAME": POD, "POD_NAMESPACE": SPACE})
    plane.servers["gatekeeper"] = server
    server.wait_until(lambda: answers(f"http://{LOOPBACK}:{health}/readyz"))
    (hooks,) = [each for each in deployed if each["kind"] == VALIDATING]
    plane.api.apply(redirected(hooks, port, certificates.bundle))


def _pod() -> dict[str, Any]:
    """The pod that it asks for to own its reports. Nothing runs it."""
    container = {"name": "manager", "image": "example.com/none"}
    metadata = {"name": POD, "namespace": SPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
