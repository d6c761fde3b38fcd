"""Credentials of providers, as BackendSecurityPolicy has them: a Secret by name, or a token that is exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aifactory.components.gateway.decided import CredentialPlan
from aifactory.components.rows import Tree

Fields = Mapping[str, str]


def signed(plan: CredentialPlan) -> Tree:
    """Type and body of the policy."""
    kind, field, make = _KINDS[plan.kind]
    return {"type": kind, field: make(plan, dict(plan.fields))}


def _reference(plan: CredentialPlan) -> Tree:
    assert plan.secret is not None  # noqa: S101 - the spec asks for one of each kind but workload identity
    return {"group": "", "kind": "Secret", "name": plan.secret.name}


def _key(plan: CredentialPlan, _: Fields) -> Tree:
    return {"secretRef": _reference(plan)}


def _exchange(plan: CredentialPlan, fields: Fields) -> Tree:
    """A token of an issuer, which the provider takes for one of its own."""
    found: Tree = {
        "oidc": {
            "provider": {"issuer": fields["issuer"]},
            "clientID": fields["client"],
            "clientSecret": _reference(plan),
        }
    }
    return found | ({"aud": fields["audience"]} if "audience" in fields else {})


def _aws_file(plan: CredentialPlan, _: Fields) -> Tree:
    return {"region": plan.region, "credentialsFile": {"secretRef": _reference(plan), "profile": "default"}}


def _aws_pod_identity(plan: CredentialPlan, _: Fields) -> Tree:
    """Nothing but the region: without another credential the processor takes that of its pod."""
    return {"region": plan.region}


def _aws_oidc(plan: CredentialPlan, fields: Fields) -> Tree:
    return {"region": plan.region, "oidcExchangeToken": {**_exchange(plan, fields), "awsRoleArn": fields["role"]}}


def _azure_secret(plan: CredentialPlan, fields: Fields) -> Tree:
    return {
        "clientID": fields["application"],
        "tenantID": fields["directory"],
        "clientSecretRef": _reference(plan),
    }


def _azure_oidc(plan: CredentialPlan, fields: Fields) -> Tree:
    return {
        "clientID": fields["application"],
        "tenantID": fields["directory"],
        "oidcExchangeToken": _exchange(plan, fields),
    }


def _gcp_file(plan: CredentialPlan, fields: Fields) -> Tree:
    return {
        "projectName": fields["project"],
        "region": plan.region,
        "credentialsFile": {"secretRef": _reference(plan)},
    }


def _gcp_oidc(plan: CredentialPlan, fields: Fields) -> Tree:
    federation: Tree = {
        "projectID": fields["project"],
        "workloadIdentityPoolName": fields["pool"],
        "workloadIdentityProviderName": fields["pool_provider"],
        "oidcExchangeToken": _exchange(plan, fields),
    }
    if "service_account" in fields:
        federation["serviceAccountImpersonation"] = {"serviceAccountName": fields["service_account"]}
    return {
        "projectName": fields["project"],
        "region": plan.region,
        "workloadIdentityFederationConfig": federation,
    }


_KINDS: dict[str, tuple[str, str, Callable[[CredentialPlan, Fields], Tree]]] = {
    "api-key": ("APIKey", "apiKey", _key),
    "azure-api-key": ("AzureAPIKey", "azureAPIKey", _key),
    "anthropic-api-key": ("AnthropicAPIKey", "anthropicAPIKey", _key),
    "aws-file": ("AWSCredentials", "awsCredentials", _aws_file),
    "aws-oidc": ("AWSCredentials", "awsCredentials", _aws_oidc),
    "aws-pod-identity": ("AWSCredentials", "awsCredentials", _aws_pod_identity),
    "azure-secret": ("AzureCredentials", "azureCredentials", _azure_secret),
    "azure-oidc": ("AzureCredentials", "azureCredentials", _azure_oidc),
    "gcp-file": ("GCPCredentials", "gcpCredentials", _gcp_file),
    "gcp-oidc": ("GCPCredentials", "gcpCredentials", _gcp_oidc),
}
