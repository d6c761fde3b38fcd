"""Prints the line coverage of each room and fails when one is below its bar: `python room_coverage.py`.

Reads `.coverage`, as `coverage combine` leaves it.
"""

import sys
import tempfile
from collections.abc import Iterable, Mapping
from json import loads
from pathlib import Path
from typing import Any

from msgspec import Struct

BAR_PERCENT = {"components": 95, "blueprints": 95, "stacks": 95, "policies": 0, "cli": 0}
"""Least line coverage of each room; 0 only reports."""


class Lines(Struct, dict=True):
    """Lines of a room that can run, and those that no test ran."""

    all: int = 0
    missed: int = 0

    @property
    def percent(self) -> float:
        """Share that ran; 0 when there is nothing, so that an empty measurement can't pass."""
        return 100 * (self.all - self.missed) / self.all if self.all else 0.0


def by_room(files: Mapping[str, Any]) -> dict[str, Lines]:
    """Sum the files of coverage's JSON report by room."""
    rooms = {room: Lines() for room in BAR_PERCENT}
    for path, file in files.items():
        room = rooms.get(Path(path).parts[0])
        if room:
            room.all += file["summary"]["num_statements"]
            room.missed += file["summary"]["missing_lines"]
    return rooms


def worst(files: Mapping[str, Any], room: str, shown: int = 5) -> Iterable[str]:
    """The files of a room with the most lines that no test ran."""
    own = [path for path in files if Path(path).parts[0] == room and files[path]["summary"]["missing_lines"]]
    for path in sorted(own, key=lambda path: -files[path]["summary"]["missing_lines"])[:shown]:
        missing = files[path]["missing_lines"]
        yield f"  {path}: {len(missing)} lines, the first is {missing[0]}"


def report(files: Mapping[str, Any]) -> int:
    """Print a line for each room. Returns the number of rooms below their bar."""
    low = 0
    for room, lines in by_room(files).items():
        short = lines.percent < BAR_PERCENT[room]
        low += short
        bar = f", below {BAR_PERCENT[room]}" if short else ""
        print(f"coverage: {room:<10} {lines.percent:6.2f} % of {lines.all:5} lines{bar}")
        if short:
            print("\n".join(worst(files, room)))
    return low


def main() -> None:
    """Report on the measurement in the current folder."""
    from coverage import Coverage

    measured = Coverage()
    measured.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        measured.json_report(outfile=file.name)
        sys.exit(1 if report(loads(Path(file.name).read_bytes())["files"]) else 0)


if __name__ == "__main__":
    main()
