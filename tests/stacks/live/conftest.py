"""An account that has what the made-up site in Stockholm states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.servicequotas.models import ServiceQuotasBackend

from aifactory.stacks.live.account import Account
from support.accounts import ADMIN, HERE, IMAGE, REGION, answering, eks
from support.signed_in import signed_in


@pytest.fixture
def quotas() -> dict[str, float]:
    """Quotas of the account, by code: 64 vCPU for standard types, and none for others."""
    return {"L-1216C47A": 64, "L-F678F1CE": 5, "L-0263D0A3": 5, "L-DB2E81BA": 0, "L-3819A6DF": 0}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, quotas: dict[str, float]) -> Iterator[Account]:
    """An account with the AMI of the site, and with quotas, which moto has none of."""

    def quota(_: object, service_code: str, quota_code: str) -> dict[str, Any]:
        return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": float(quotas[quota_code])}

    monkeypatch.setattr(ServiceQuotasBackend, "get_service_quota", quota)
    with signed_in(ADMIN):
        boto3.client("iam", region_name=REGION).create_role(
            RoleName="platform", Path="/team/", AssumeRolePolicyDocument="{}"
        )
        backend = ec2_backends[HERE][REGION]
        fields = {"name": IMAGE, "owner_id": "602401143452", "owner_alias": "amazon", "state": "available"}
        backend.amis["ami-0123456789abcdef0"] = Ami(backend, "ami-0123456789abcdef0", **fields)  # type: ignore[arg-type]
        found = Account(REGION)
        answering(found, eks())
        yield found
