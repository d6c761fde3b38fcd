"""An order in which rows can be made: by wave, and inside a wave by what waits for what."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from aifactory.components.rows import Row, Wave

_WAVES = {wave: index for index, wave in enumerate(Wave)}


class OrderError(Exception):
    """Rows wait for each other, or for a later wave: a defect of the parts that made them."""


def in_order(rows: dict[str, Row]) -> tuple[tuple[Row, ...], dict[str, int]]:
    """The rows in order, and the step of each inside its wave, from 0. Raises `OrderError` for a cycle."""
    waiting = {row.id: len(row.after) for row in rows.values()}
    readers: dict[str, list[str]] = {}
    for row in rows.values():
        for name in row.after:
            _refuse_later_wave(row, rows[name])
            readers.setdefault(name, []).append(row.id)
    steps = dict.fromkeys(rows, 0)
    ready = [_place(row, 0) for row in rows.values() if not row.after]
    heapify(ready)
    ordered: list[Row] = []
    while ready:
        row = rows[heappop(ready)[-1]]
        ordered.append(row)
        for name in readers.get(row.id, ()):
            reader = rows[name]
            if reader.wave == row.wave:
                steps[name] = max(steps[name], steps[row.id] + 1)
            waiting[name] -= 1
            if not waiting[name]:
                heappush(ready, _place(reader, steps[name]))
    if len(ordered) < len(rows):
        cycle = ", ".join(sorted(name for name, count in waiting.items() if count))
        raise OrderError(f"these rows wait for each other: {cycle}")
    ordered.sort(key=lambda row: _place(row, steps[row.id]))
    return tuple(ordered), steps


def _place(row: Row, step: int) -> tuple[int, int, str, str]:
    return _WAVES[row.wave], step, row.part, row.id


def _refuse_later_wave(row: Row, needed: Row) -> None:
    if _WAVES[needed.wave] > _WAVES[row.wave]:
        raise OrderError(f"{row.id} of wave {row.wave} waits for {needed.id} of wave {needed.wave}")
