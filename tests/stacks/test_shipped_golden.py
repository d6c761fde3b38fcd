"""What we ship, as operators get it. `--update-golden` rewrites it; the reviewer reads the difference."""

from __future__ import annotations

import hashlib

import pytest

from support import shipped
from support.golden import GoldenTree

BY_DIGEST = ("plan.json", "rows.json")
"""Files for programs: large, and seen in the others."""


@pytest.mark.parametrize("name", shipped.STACKS)
def test_the_folder_of_a_shipped_stack_is_the_one_that_was_reviewed(name: str, golden_tree: GoldenTree) -> None:
    files = dict(shipped.files(name))
    digests = [f"{hashlib.sha256(files.pop(path)).hexdigest()}  {path}\n" for path in BY_DIGEST]
    golden_tree(f"golden/{name}", {**files, "digests.txt": "".join(digests).encode()})
