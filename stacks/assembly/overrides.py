"""Patches of the blueprint to single rows: JSON merge patch, RFC 7386."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from aifactory.components.names import OVERRIDE_ANNOTATION
from aifactory.components.problems import Problem, nearest
from aifactory.components.rows import CloudRow, HelmRow, KubernetesRow, Row
from aifactory.components.values import Json
from aifactory.stacks.planning.model import OverrideNote, PartPlan


def apply_overrides(part: PartPlan, rows: list[Row]) -> list[Problem]:
    """Patch the rows of a part in place; what doesn't fit comes back as problems."""
    if not part.overrides:
        return []
    places = {row.id: index for index, row in enumerate(rows)}
    problems = []
    for note in part.overrides:
        if note.row not in places:
            says = f'part {part.name} has no row "{note.row}"'
            problems.append(Problem(says, (*note.where, "row"), nearest(note.row, places)))
            continue
        index = places[note.row]
        patched = _patched(rows[index], note)
        if isinstance(patched, Problem):
            problems.append(patched)
        else:
            rows[index] = patched
    return problems


def merge_patch(tree: object, patch: object) -> object:
    """`tree` with a JSON merge patch applied: maps merge, null removes, everything else replaces.

    A map also merges into the tree of a text that is JSON, such as the `ipam` of a network.
    """
    if not isinstance(patch, Mapping):
        return patch
    if isinstance(tree, Json):
        return Json(merge_patch(tree.tree, patch))
    merged = dict(tree) if isinstance(tree, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _patched(row: Row, note: OverrideNote) -> Row | Problem:
    where = (*note.where, "patch")
    reason = f"{row.override}; {note.reason}" if row.override else note.reason
    if isinstance(row, HelmRow):
        values = merge_patch(row.values, note.patch)
        assert isinstance(values, dict)  # noqa: S101 - the patch is a map
        return replace(row, values=values, override=reason)
    if isinstance(row, CloudRow):
        properties = merge_patch(row.properties, note.patch)
        assert isinstance(properties, dict)  # noqa: S101 - the patch is a map
        return replace(row, properties=properties, override=reason)
    if not isinstance(row, KubernetesRow):
        says = f"{row.id} is a file, which a patch can't reach"
        return Problem(says, where, "change the site or the part instead")
    body = merge_patch(row.body, note.patch)
    assert isinstance(body, dict)  # noqa: S101 - the patch is a map
    patched = replace(row, body=body)
    if _identity(body) != _identity(row.body):
        return Problem(
            f"the patch changes the identity of {row.id}",
            where,
            "leave apiVersion, kind, metadata.name and metadata.namespace as they are",
        )
    annotate: dict[str, object] = {"metadata": {"annotations": {OVERRIDE_ANNOTATION: reason}}}
    body = merge_patch(patched.body, annotate)
    assert isinstance(body, dict)  # noqa: S101 - the patch is a map
    return replace(row, body=body, override=reason)


def _identity(body: Mapping[str, object]) -> tuple[object, ...]:
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        metadata = {}
    return body.get("apiVersion"), body.get("kind"), metadata.get("namespace"), metadata.get("name")
