"""Webhooks of managers that run beside a control plane, not in it: reached by address, trusted by an authority of the
moment."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = "127.0.0.1"
LIFE = datetime.timedelta(days=365)
"""Managers that look after their certificates renew what ends within 90 days, and would lose the address by that."""


class Certificates:
    """An authority, and a certificate of it for one manager on loopback. They lie in `folder`."""

    def __init__(self, folder: Path, authority: str, service: str) -> None:
        """`authority` is the authority's name; `service` is the name by which a cluster would reach the manager."""
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._write("ca", *_issued(authority, [x509.DNSName(authority)]))
        address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
        signer = (self._authority(), self._key("ca"))
        self._write("tls", *_issued(service, [x509.DNSName(service), address], signer))

    @property
    def bundle(self) -> str:
        """The authority's certificate as API objects hold it."""
        return base64.b64encode((self.folder / "ca.crt").read_bytes()).decode()

    def secret(self, namespace: str, name: str) -> dict[str, Any]:
        """All of it as the object that a manager in a cluster would have mounted."""
        data = {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(self.folder.iterdir())}
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}

    def _authority(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / "ca.crt").read_bytes())

    def _key(self, name: str) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def _write(self, name: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))


def _issued(
    name: str, names: list[x509.GeneralName], by: tuple[x509.Certificate, rsa.RSAPrivateKey] | None = None
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A certificate and its key, signed by an authority, or an authority's own."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


def redirected(configuration: Any, port: int, bundle: str, keep: Callable[[Any], bool] = bool) -> Any:
    """A webhook configuration whose hooks are reached on loopback. `keep` says which of them stay."""
    hooks = [
        {**hook, "clientConfig": _client(hook["clientConfig"], port, bundle)} for hook in configuration["webhooks"]
    ]
    return {**configuration, "webhooks": [hook for hook in hooks if keep(hook)]}


def converted(definition: Any, port: int, bundle: str) -> Any:
    """A definition whose versions a manager on loopback converts."""
    client = {"url": f"https://{LOOPBACK}:{port}/convert", "caBundle": bundle}
    hook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    conversion = {"strategy": "Webhook", "webhook": hook}
    return {**definition, "spec": {**definition["spec"], "conversion": conversion}}


def _client(client: Any, port: int, bundle: str) -> Any:
    return {"url": f"https://{LOOPBACK}:{port}{client['service']['path']}", "caBundle": bundle}
