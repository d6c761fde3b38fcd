"""Health checks for Argo CD, made from the gates of rows: what it waits for before it goes on to the next wave."""

from __future__ import annotations

import json

from aifactory.components.rows import Gate, KubernetesRow
from aifactory.stacks.assembly.stack import Stack

_APPLICATION = """\
hs = {status = "Progressing", message = ""}
if obj.status ~= nil and obj.status.health ~= nil then
  hs.status = obj.status.health.status
  hs.message = obj.status.health.message or ""
end
return hs
"""
"""Argo CD has had no check for its own Application since 1.8, so an app of apps doesn't wait.
Source: argoproj/argo-cd docs/operator-manual/health.md, "Argocd App"."""

_CONDITION = """\
hs = {{status = "Progressing", message = "waiting for condition " .. {name}}}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == {name} and condition.status == "True" then
      hs = {{status = "Healthy", message = condition.message or ""}}
    end
  end
end
return hs
"""
_FIELD = """\
local value = obj
for _, step in ipairs({steps}) do
  if type(value) ~= "table" then
    break
  end
  value = value[step]
end
if value == {wanted} then
  return {{status = "Healthy", message = tostring(value)}}
end
return {{status = "Progressing", message = {path} .. " is " .. tostring(value)}}
"""


def health_checks(stack: Stack) -> dict[str, str]:
    """Keys of `argocd-cm`. Kinds of Kubernetes itself are missing: Argo CD knows when a Job is done."""
    found = {"resource.customizations.health.argoproj.io_Application": _APPLICATION}
    for row in stack.cluster_rows:
        if isinstance(row, KubernetesRow) and row.gate:
            group = str(row.body["apiVersion"]).rpartition("/")[0]
            if _is_custom(group):
                key = f"resource.customizations.health.{group}_{row.body['kind']}"
                found[key] = _check(row.gate)
    return dict(sorted(found.items()))


def _is_custom(group: str) -> bool:
    """Whether definitions bring the group: Kubernetes' own have no dot, or are below k8s.io."""
    return "." in group and (not group.endswith(".k8s.io") or group.endswith(".x-k8s.io"))


def _check(gate: Gate) -> str:
    if gate.condition:
        return _CONDITION.format(name=json.dumps(gate.condition))
    steps = [step for step in gate.path.split(".") if step]
    listed = "{" + ", ".join(json.dumps(step) for step in steps) + "}"
    return _FIELD.format(steps=listed, wanted=json.dumps(gate.value), path=json.dumps(gate.path))
