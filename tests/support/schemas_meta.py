"""Rules for `metadata` that Kubernetes keeps in code, not in its schemas: names, labels, annotations."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")

_LABEL_NAMED = frozenset({"Namespace", "Service"})
_PATH_NAMED = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})

MAX_ANNOTATIONS_BYTES = 256 * 1024
"""Limit of all annotations of one object. Source: k8s.io/apimachinery, TotalAnnotationSizeLimitB."""


def name_problems(metadata: Mapping[str, Any], group: str, kind: str) -> Iterator[str]:
    """What is wrong with the name and namespace of an object of this kind."""
    name = metadata.get("name")
    if name is None and isinstance(metadata.get("generateName"), str):
        name = metadata["generateName"] + "x"  # the server puts more behind it
    if not isinstance(name, str) or not name:
        yield "metadata.name: is required"
    elif kind in _PATH_NAMED and group == "rbac.authorization.k8s.io":
        if not _PATH_SEGMENT.fullmatch(name):
            yield f'metadata.name: "{name}" is not a path segment'
    elif kind in _LABEL_NAMED and not group:
        if not _LABEL.fullmatch(name):
            yield f'metadata.name: "{name}" is not a DNS label (lower case, digits, "-", at most 63)'
    elif len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        yield f'metadata.name: "{name}" is not a DNS subdomain (lower case, digits, "-", ".", at most 253)'
    namespace = metadata.get("namespace")
    if isinstance(namespace, str) and not _LABEL.fullmatch(namespace):
        yield f'metadata.namespace: "{namespace}" is not a DNS label'


def metadata_problems(metadata: Mapping[str, Any], path: str) -> Iterator[str]:
    """What is wrong with labels and annotations, at the top or in a template."""
    labels, annotations = metadata.get("labels"), metadata.get("annotations")
    for key, value in labels.items() if isinstance(labels, dict) else ():
        if not _is_key(key):
            yield f'{path}.labels: "{key}" is not a label key'
        if isinstance(value, str) and value and not _NAME.fullmatch(value):
            yield f'{path}.labels["{key}"]: "{value}" is not a label value (up to 63 letters, digits, "-_.")'
    if isinstance(annotations, dict):
        yield from (f'{path}.annotations: "{key}" is not a key' for key in annotations if not _is_key(key.lower()))
        size = sum(len(part.encode()) for pair in annotations.items() for part in pair if isinstance(part, str))
        if size > MAX_ANNOTATIONS_BYTES:
            yield f"{path}.annotations: {size} bytes, at most {MAX_ANNOTATIONS_BYTES}"


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    rightly_prefixed = bool(_SUBDOMAIN.fullmatch(prefix)) and len(prefix) <= 253 if slash else True
    return rightly_prefixed and bool(_NAME.fullmatch(name))
