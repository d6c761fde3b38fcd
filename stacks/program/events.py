"""What the engine tells while it works, as plain records that need no Pulumi to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct
from pulumi.automation import EngineEvent, OpType, StepEventMetadata

Phase = Literal["started", "done", "failed"]


class Step(Struct, frozen=True):
    """One resource at one moment of a run."""

    urn: str
    op: str
    """What is done to it: same, create, update, replace, delete, …"""
    phase: Phase
    changed: tuple[str, ...] = ()
    """Paths of inputs that differ, such as `spec.replicas`."""


class Message(Struct, frozen=True):
    """Something to tell a person, about one resource or the whole run (an empty `urn`)."""

    severity: Literal["warning", "error"]
    urn: str
    text: str


class Totals(Struct, frozen=True):
    """How many resources met each operation."""

    changes: Mapping[str, int]


Event = Step | Message | Totals


def event_of(event: EngineEvent) -> Event | None:
    """The engine's event as a record, None for those that nobody needs."""
    if event.diagnostic_event is not None:
        diagnostic = event.diagnostic_event
        if diagnostic.severity not in ("warning", "error") or diagnostic.ephemeral:
            return None
        return Message(diagnostic.severity, diagnostic.urn or "", diagnostic.message.strip())  # type: ignore[arg-type]  # checked above
    if event.summary_event is not None:
        changes = event.summary_event.resource_changes
        return Totals({_text(op): count for op, count in changes.items()})
    phases: tuple[tuple[Phase, object], ...] = (
        ("started", event.resource_pre_event),
        ("done", event.res_outputs_event),
        ("failed", event.res_op_failed_event),
    )
    for phase, found in phases:
        if found is not None:
            metadata: StepEventMetadata = found.metadata  # type: ignore[attr-defined]  # all three have it
            return Step(metadata.urn, _op(metadata), phase, _changed(metadata))
    return None


def _op(metadata: StepEventMetadata) -> str:
    """The operation. A removal that leaves the object in the cluster is told as one, and is none."""
    left = metadata.old is not None and metadata.old.retain_on_delete
    return "discard" if left and _text(metadata.op) == "delete" else _text(metadata.op)


def _changed(metadata: StepEventMetadata) -> tuple[str, ...]:
    """Where a resource differs: as the provider says, else by comparing what was sent then and now."""
    if _text(metadata.op) == "same" or metadata.old is None or metadata.new is None:
        return ()
    if metadata.detailed_diff:
        return tuple(metadata.detailed_diff)
    return tuple(differences(metadata.old.inputs or {}, metadata.new.inputs or {}))


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """Paths at which two trees differ, such as `spec.ports[0].name`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            step = f'["{key}"]' if "." in key else f".{key}" if path else key
            yield from differences(before.get(key), after.get(key), path + step)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif before != after:
        yield path


def _text(op: OpType | str) -> str:
    return op.value if isinstance(op, OpType) else str(op)
