"""Registers a generated folder: the rows as they were planned and checked, never planned again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pulumi

from aifactory.stacks.assembly.rowset import RowSet, from_data
from aifactory.stacks.program.adapter import Factory, register_stack
from aifactory.stacks.program.handoff import HANDOFF_FILE, HandoffError, with_handoff


def register_folder(folder: Path) -> Factory:
    """Register the rows of a folder written by `aifactory generate`, and export their outputs.

    The stack setting `aifactory:kubeconfig` names a kubeconfig to use instead of the site's, relative to the
    folder. Raises `pulumi.RunError` if the folder was changed since or is incomplete, or if another stack is
    selected.
    """
    rows = folder_rows(folder)
    check_stack(rows.stack, pulumi.get_stack())
    return register_stack(
        handed_over(rows, folder / HANDOFF_FILE), folder, pulumi.Config("aifactory").get("kubeconfig") or ""
    )


def folder_rows(folder: Path) -> RowSet:
    """The rows of a generated folder, once their digest is what `plan.json` says."""
    plan = _json(folder, _text(folder, "plan.json"), "plan.json")
    text = _text(folder, "rows.json")
    found = f"sha256:{hashlib.sha256(text).hexdigest()}"
    if not isinstance(plan, dict) or plan.get("rows_digest") != found:
        expected = plan.get("rows_digest") if isinstance(plan, dict) else None
        raise pulumi.RunError(
            f"rows.json in {folder} is not what was generated: its digest is {found}, and plan.json says "
            f"{expected}. Change the blueprint, or override the row there, and generate the folder again"
        )
    try:
        rows = from_data(_json(folder, text, "rows.json"))
    except (KeyError, TypeError, ValueError) as error:
        raise pulumi.RunError(
            f"rows.json in {folder} can't be read by this version of aifactory ({error}); use the version "
            "that generated the folder, or generate it again"
        ) from None
    return rows


def handed_over(rows: RowSet, path: Path) -> RowSet:
    """The rows with what their base hands over by this file. Raises `pulumi.RunError` if it doesn't."""
    try:
        return with_handoff(rows, path)
    except HandoffError as error:
        raise pulumi.RunError(str(error)) from None


def check_stack(expected: str, selected: str) -> None:
    """Refuse another stack than the rows were made for: what it holds would be removed."""
    if selected != expected:
        raise pulumi.RunError(
            f"these rows belong to stack {expected}, and {selected} is selected; run: pulumi stack select {expected}"
        )


def _text(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise pulumi.RunError(
            f"{name} can't be read in {folder} ({error.strerror}); generate the folder again"
        ) from None


def _json(folder: Path, text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise pulumi.RunError(f"{name} in {folder} is not JSON ({error}); generate the folder again") from None
