"""Text that goes into other languages: PromQL, templates of Prometheus and Grafana, configuration of collectors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

DOOR = "gateway_envoyproxy_io_owning_gateway_name"
"""Label of proxies' series with the name of their Gateway, as the monitor copies it."""
ASKED = "gen_ai_original_model"
"""Label with the name that a request carries, before a leg changes it. Source: envoyproxy/ai-gateway
internal/metrics/genai.go, metrics_impl.go."""

_META = re.compile(r"[.^$*+?()\[\]{}|\\]")


def quoted(text: str) -> str:
    """A string of PromQL or OTTL: both read the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)


def matcher(**labels: str) -> str:
    """A selector of PromQL with these labels, `{a="b"}`."""
    return "{" + ",".join(f"{name}={quoted(value)}" for name, value in labels.items()) + "}"


def alternatives(names: Iterable[str]) -> str:
    """A regular expression that these names match; its reader must anchor it at both ends."""
    return "|".join(_META.sub(lambda found: f"\\{found[0]}", name) for name in names)


def any_of(names: Iterable[str]) -> str:
    """The same as a string of PromQL, which anchors."""
    return quoted(alternatives(names))


def said(text: str) -> str:
    """Text of an annotation: Prometheus and Alertmanager run what stands in braces as a template."""
    return text.replace("{{", "{ {").replace("}}", "} }")


def shown(text: str) -> str:
    """Text of a dashboard: Grafana replaces $name, ${name} and [[name]]."""
    return said(text).replace("$", "").replace("[[", "[ [").replace("]]", "] ]")


def literal(text: str) -> str:
    """Text of a collector's configuration: `${env:NAME}` and `${file:PATH}` would be read, $$ is one $."""
    return text.replace("$", "$$")
