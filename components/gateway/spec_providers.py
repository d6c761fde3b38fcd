"""What a person writes about services outside of the cluster: where they are, who runs them, how to sign in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.catalog import RegionKey
from aifactory.components.forms import Country, Line, SecretName
from aifactory.components.gateway.spec_models import ApiHost, SecretSource
from aifactory.components.gateway.spec_tenants import Audience, HttpsUrl
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth

Api = Literal["openai", "azure-openai", "anthropic", "aws-bedrock", "aws-anthropic", "gcp-vertex", "gcp-anthropic"]
CredentialKind = Literal[
    "api-key",
    "azure-api-key",
    "anthropic-api-key",
    "aws-file",
    "aws-oidc",
    "aws-pod-identity",
    "azure-secret",
    "azure-oidc",
    "gcp-file",
    "gcp-oidc",
]
NEEDS: dict[str, tuple[str, ...]] = {
    "aws-oidc": ("issuer", "client", "role"),
    "azure-secret": ("directory", "application"),
    "azure-oidc": ("directory", "application", "issuer", "client"),
    "gcp-file": ("project",),
    "gcp-oidc": ("project", "pool", "pool_provider", "issuer", "client"),
}
"""What each kind must know. Source: the definition of BackendSecurityPolicy."""
MAY: dict[str, tuple[str, ...]] = {
    "aws-oidc": ("audience",),
    "azure-oidc": ("audience",),
    "gcp-oidc": ("audience", "service_account"),
}
_SIGNED = ("aws-bedrock", "aws-anthropic", "gcp-vertex", "gcp-anthropic")
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_GCP_NAME = r"^[a-z]([-a-z0-9]{2,61}[a-z0-9])$"


class Credential(Spec):
    """How the gateway signs in at a provider. The secret itself is never written here."""

    kind: CredentialKind = "api-key"
    """What it is. api-key, azure-api-key, anthropic-api-key: a key in the header that the API takes it in. aws-file: a
    credentials file. aws-pod-identity: at a site of venue aws, the role that the base gives the proxies; no secret
    exists. aws-oidc, azure-oidc, gcp-oidc: a token of `issuer`, exchanged for one of the provider that lasts
    an hour. azure-secret: the secret of an application. gcp-file: the key of a service account. Default api-key."""

    secret: SecretName | None = None
    """Secret in the namespace of the gateway. Its key is `apiKey` for the three keys, `credentials` for aws-file,
    `service_account.json` for gcp-file, and `client-secret` for the others. Default none: for aws-pod-identity, and all
    others need one."""

    source: SecretSource | None = None
    """Where External Secrets gets it from. Default none: somebody makes the Secret."""

    issuer: HttpsUrl | None = None
    """Identity provider whose tokens are exchanged. Default none: for kinds with oidc, which need it."""

    client: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None
    """Client of the issuer that the gateway is. Default none: for kinds with oidc, which need it."""

    audience: Audience | None = None
    """Whom tokens of the issuer are for. Default none: as the issuer has it."""

    role: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]{0,10}:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,200}$")] | None
    ) = None
    """Role that tokens are exchanged for. Default none: for aws-oidc, which needs it."""

    directory: Annotated[str, Field(pattern=_UUID)] | None = None
    """Tenant of Entra ID. Default none: for azure-secret and azure-oidc, which need it."""

    application: Annotated[str, Field(pattern=_UUID)] | None = None
    """Application of Entra ID that the gateway is. Default none: for azure-secret and azure-oidc, which need it."""

    project: Annotated[str, Field(pattern=_GCP_NAME)] | None = None
    """Project of Google Cloud. Default none: for gcp-file and gcp-oidc, which need it."""

    pool: Annotated[str, Field(pattern=_GCP_NAME)] | None = None
    """Workload identity pool of the project. Default none: for gcp-oidc, which needs it."""

    pool_provider: Annotated[str, Field(pattern=_GCP_NAME)] | None = None
    """Provider of the pool. Default none: for gcp-oidc, which needs it."""

    service_account: Annotated[str, Field(pattern=_GCP_NAME)] | None = None
    """Service account that the pool's identity acts as, without its domain. Default none: as itself."""

    @truth
    def _it_has_what_its_kind_needs(self) -> Iterator[Misfit]:
        if self.kind == "aws-pod-identity":
            for field in ("secret", "source"):
                if getattr(self, field) is not None:
                    yield Misfit(f"{field} is nothing of {self.kind}", "delete it: no secret exists", (field,))
        elif self.secret is None:
            yield Misfit(f"{self.kind} needs secret", "name the Secret that has it", ("secret",))
        needed, known = NEEDS.get(self.kind, ()), {field for field in _FIELDS if getattr(self, field) is not None}
        for field in needed:
            if field not in known:
                yield Misfit(f"{self.kind} needs {field}", f"write {', '.join(needed)}", (field,))
        for field in sorted(known - {*needed, *MAY.get(self.kind, ())}):
            yield Misfit(f"{field} is nothing of {self.kind}", "delete it, or write another kind", (field,))


_FIELDS = sorted({field for table in (NEEDS, MAY) for fields in table.values() for field in fields})


class Provider(Spec):
    """A service outside of the cluster, with the place that data goes to."""

    name: Name
    """Name by which legs lead here."""

    description: Annotated[Line, Field(max_length=200)] | None = None
    """What it is, for people. Default none."""

    host: ApiHost | None = None
    """Host name of its API. Default: that of `site`, without which one is needed."""

    site: Name | None = None
    """Another site of the blueprint, whose gateway of this part answers: host, country and operator follow from it.
    The token of the caller goes along, and that gateway judges it anew. Default none: somebody else's service."""

    port: int = Field(default=443, ge=1, le=65_535)
    """TCP port of its API, which is always TLS. Default 443."""

    api: Api = "openai"
    """Which API it speaks; requests are translated. Default openai."""

    api_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,29}$")] | None = None
    """Version of the API, which azure-openai needs. Default none."""

    region: RegionKey | None = None
    """Region of its cloud, such as aws:eu-central-1, from which country and operator follow. Needed by the APIs of AWS
    and Google, which sign for it. Default none: country and operator are as written."""

    country: Country | None = None
    """Country of the machines that answer. Default: that of the region; without one unknown, and no data of a class
    goes there."""

    operator: Country | None = None
    """Country of the ultimate parent of the company that runs them. Default: that of the region's; without one
    unknown, and no data of a class goes there."""

    credential: Credential | None = None
    """How to sign in. Default none: it asks for none."""

    ca: SecretName | None = None
    """ConfigMap in the namespace of the gateway with the CA of its certificate, key `ca.crt`. Default none: a public
    CA."""

    @truth
    def _it_is_outside_of_the_cluster(self) -> Iterator[Misfit]:
        if self.host and self.host.endswith(".cluster.local"):
            yield Misfit(f"{self.host} is inside the cluster", "lead to the serving part with part", ("host",))

    @truth
    def _it_is_a_host_or_a_site(self) -> Iterator[Misfit]:
        if self.host is None and self.site is None:
            yield Misfit("it has no host", "write host, or site for another site of this blueprint", ("host",))
        if self.site is not None:
            for field in ("region", "credential", "api_version"):
                if getattr(self, field) is not None:
                    yield Misfit(f"{field} is nothing of a site of ours", "delete it", (field,))
            if self.api != "openai":
                yield Misfit(f"gateways of ours don't speak {self.api}", "delete api", ("api",))

    @truth
    def _azure_has_a_version(self) -> Iterator[Misfit]:
        if self.api == "azure-openai" and self.api_version is None:
            yield Misfit("azure-openai needs a version", "set api_version, such as 2024-10-21", ("api_version",))

    @truth
    def _a_cloud_signs_for_a_region(self) -> Iterator[Misfit]:
        cloud = self.api.partition("-")[0]
        if self.api in _SIGNED and (self.region is None or not self.region.startswith(f"{cloud}:")):
            yield Misfit(f"{self.api} needs a region of {cloud}", f"set region, such as {cloud}:...", ("region",))
        if self.api in _SIGNED and self.credential is None:
            yield Misfit(f"{self.api} lets nobody in without a credential", "write credential", ("credential",))
