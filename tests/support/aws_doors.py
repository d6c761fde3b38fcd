"""A door to Bedrock at the made-up site in Stockholm: what tests of gateways at AWS start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aifactory.blueprints.site import AwsSite
from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.planning.place import place_of
from support.aws_sites import TRAIN, aws_site_data
from support.gateways import OIDC, leads
from support.planning import Planned, plan_site

NOVA = "amazon.nova-lite-v1:0"
LOGIN = {"host": "login.example.com", "networks": ["10.0.9.0/24"]}
ENDPOINTS: dict[str, Any] = {"domain": "ai.example.com", "clients": ["10.0.0.0/16"], "outside": [LOGIN]}
RESIDENCY = {"open": {"jurisdictions": ["eu"], "operators": ["eu", "us"]}}


def bedrock(region: str = "eu-north-1", name: str = "bedrock", **fields: Any) -> dict[str, Any]:
    """Bedrock in a region, signed in at by workload identity."""
    host = f"bedrock-runtime.{region}.amazonaws.com"
    found = {"name": name, "api": "aws-bedrock", "host": host, "region": f"aws:{region}"}
    return {**found, "credential": {"kind": "aws-pod-identity"}, **fields}


def model(called: str = NOVA, provider: str = "bedrock", name: str = "small", **fields: Any) -> dict[str, Any]:
    """A model that Bedrock answers."""
    leg = {"provider": provider, "model": called}
    return leads(leg, **{"name": name, "id": name, "tenants": ["assist"], "data_class": "open", **fields})


def door(*models: Mapping[str, Any], **changes: Any) -> Planned:
    """A gateway for the site with these models; see `doors` for changes."""
    return doors(1, *models, **changes)


def doors(
    number: int,
    *models: Mapping[str, Any],
    providers: Sequence[Mapping[str, Any]] | None = None,
    endpoints: Mapping[str, Any] | None = ENDPOINTS,
    residency: Mapping[str, Any] = RESIDENCY,
    site: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Planned:
    """Some gateways of one form. `site` changes fields of `aws`, `fields` are those of each part."""
    data = {**aws_site_data(**(site or {})), **({"endpoints": endpoints} if endpoints else {})}
    part = {
        "kind": "gateway",
        "reach": "site",
        "sign_in": {"oidc": OIDC},
        "providers": [bedrock()] if providers is None else list(providers),
        "models": list(models) or [model()],
        **fields,
    }
    names = ["door", *(f"door-{index}" for index in range(2, number + 1))]
    parts = [{"kind": "cluster", "name": "cluster"}, *({**part, "name": name} for name in names)]
    return plan_site(parts, place_of(AwsSite.model_validate(data), TRAIN), residency=residency)


def objects(found: Planned) -> dict[str, Any]:
    """Objects of the platform by kind and name, with what stands for outputs of the base."""
    rows = [row for row in found.rows.values() if isinstance(row, KubernetesRow)]
    return {f"{row.body['kind']}/{row.name}": plain(row.body, placeholder) for row in rows}
