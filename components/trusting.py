"""How clients trust a Service that a ClusterIssuer of the site signs for: each namespace asks it for a certificate, and
the Secret of that has the certificate of the issuer, `ca.crt`.

Source: cert-manager documentation, Certificate resources, the Secret's keys; kinds CA and Vault fill `ca.crt`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components import names
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, Wave, capability

CERTIFICATES = "cert-manager.io/v1"
AUTHORITY = "ca.crt"
"""Key of the Secret with the certificate of the issuer."""
VOLUME, MOUNT = "trust", "/trust"
KEY: Tree = {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}


def serving(maker: Maker, name: str, namespace: str, hosts: Iterable[str], issuer: str) -> KubernetesRow:
    """The certificate of a server that reads it when it starts: a year, and 90 days to start it again."""
    spec: Tree = {
        "secretName": name,
        "dnsNames": list(hosts),
        "privateKey": KEY,
        "duration": "8760h",
        "renewBefore": "2160h",
        "usages": ["digital signature", "server auth"],
        "issuerRef": {"kind": "ClusterIssuer", "name": issuer},
    }
    return _certificate(maker, name, namespace, spec, None)


def trusted(maker: Maker, name: str, namespace: str, issuer: str) -> KubernetesRow:
    """What clients of a namespace take the issuer's certificate from: Secret `name`, key `ca.crt`.

    The key in it says that a client is of this namespace, to servers that ask. Ours ask nobody.
    """
    spec: Tree = {
        "secretName": name,
        "dnsNames": [f"{name}.{namespace}.svc"],
        "privateKey": KEY,
        "duration": "2160h",
        "renewBefore": "720h",
        "usages": ["digital signature", "client auth"],
        "issuerRef": {"kind": "ClusterIssuer", "name": issuer},
    }
    return _certificate(maker, name, namespace, spec, Wave.SERVING)


def rows(name: str, namespace: str) -> list[str]:
    """Rows that a client waits for; none without a name."""
    return [names.object_id(CERTIFICATES, "Certificate", namespace, name)] if name else []


def sources(name: str) -> list[Tree]:
    """The volume of a client's pod with the issuer's certificate; none without a name."""
    secret: Tree = {"secretName": name, "items": [{"key": AUTHORITY, "path": AUTHORITY}]}
    return [{"name": VOLUME, "secret": secret}] if name else []


def mounts(name: str) -> list[Tree]:
    """Where a client's container finds it; none without a name."""
    return [{"name": VOLUME, "mountPath": MOUNT, "readOnly": True}] if name else []


def authority_path() -> str:
    """The issuer's certificate in the container of a client."""
    return f"{MOUNT}/{AUTHORITY}"


def _certificate(maker: Maker, name: str, namespace: str, spec: Tree, wave: Wave | None) -> KubernetesRow:
    after = [capability("cert-manager")]
    ready = Gate(condition="Ready")
    return maker.kubernetes(CERTIFICATES, "Certificate", name, namespace, spec=spec, after=after, gate=ready, wave=wave)
