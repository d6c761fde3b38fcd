"""Groups and versions of the objects of a gateway."""

from __future__ import annotations

GATEWAY = "gateway.networking.k8s.io"
ENVOY = "gateway.envoyproxy.io"
ENVOY_API = f"{ENVOY}/v1alpha1"
AI = "aigateway.envoyproxy.io"
AI_API = f"{AI}/v1beta1"
POOLS = "inference.networking.k8s.io"
CERTIFICATES = "cert-manager.io/v1"
PLACE_LABEL = "aifactory.io/place"
COUNTRY_LABEL = "aifactory.io/country"
OPERATOR_LABEL = "aifactory.io/operator"
"""Where what a row leads to is, in which country, and from which country it is run."""
SECRETS = "external-secrets.io/v1"
