"""Works out the formulas of a hand-worked case again: fractions, no rounding, nothing of the product."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import floor

DIGITS = re.compile(r"\d+(?:\.\d+)?")
LARGEST_EXPONENT = 400


class CantWorkOut(ValueError):
    """A formula that is none of the few things a case may say; the text says what is wrong."""


def worked_out(formula: str, cells: Mapping[str, Fraction]) -> Fraction:
    """The value of `=a * (1 - b) ^ 3`, where names are earlier rows.

    A name with numbered rows, `load` of `load_00` to `load_23`, means all of them inside SUM, MAX, LARGE and the
    like. Raises CantWorkOut.
    """
    if not formula.startswith("="):
        raise CantWorkOut(f'"{formula}" does not start with =')
    text = formula[1:].strip()
    if "**" in text:
        raise CantWorkOut(f'"{formula}" has **; a power is written ^')
    text = text.replace("^", "**")
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise CantWorkOut(f'"{formula}" is no formula: {error.msg}') from error
    return _Sums(text, cells).value(tree.body)


def half_up(value: Fraction, decimals: int) -> Fraction:
    """To so many decimals; a half goes away from zero, as on paper."""
    scaled = abs(value) * 10**decimals
    rounded = Fraction(floor(scaled + Fraction(1, 2)), 10**decimals)
    return -rounded if value < 0 else rounded


class _Sums:
    def __init__(self, text: str, cells: Mapping[str, Fraction]) -> None:
        self.text = text
        self.cells = cells

    def value(self, node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._cell(node.id)
        if isinstance(node, ast.BinOp):
            return self._sum(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise CantWorkOut(f"{self._said(node)} is not allowed in a formula")

    def _number(self, node: ast.Constant) -> Fraction:
        # The digits as written: the float that Python read has lost some.
        said = self._said(node)
        if not DIGITS.fullmatch(said):
            raise CantWorkOut(f"{said} is not a plain number")
        return Fraction(said)

    def _cell(self, name: str) -> Fraction:
        if name not in self.cells:
            raise CantWorkOut(f"no earlier row is called {name}")
        return self.cells[name]

    def _sum(self, node: ast.BinOp) -> Fraction:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            if not right:
                raise CantWorkOut(f"{self._said(node)} divides by zero")
            return left / right
        if isinstance(node.op, ast.Pow):
            if right.denominator != 1 or not 0 <= right <= LARGEST_EXPONENT:
                raise CantWorkOut(f"{self._said(node)} needs a whole exponent of 0 to {LARGEST_EXPONENT}")
            return Fraction(left ** int(right))
        raise CantWorkOut(f"{self._said(node)} is not allowed in a formula")

    def _call(self, node: ast.Call) -> Fraction:
        name = node.func.id if isinstance(node.func, ast.Name) else self._said(node.func)
        if (name not in FUNCTIONS and name != "IF") or node.keywords:
            raise CantWorkOut(f"{self._said(node)} is not allowed; known: IF, {', '.join(FUNCTIONS)}")
        if name == "IF":
            return self._if(node)
        arguments = [value for each in node.args for value in self._values(each)]
        try:
            return FUNCTIONS[name](arguments)
        except (IndexError, ValueError, TypeError) as error:
            raise CantWorkOut(f"{self._said(node)} can't be worked out: {error}") from error

    def _if(self, node: ast.Call) -> Fraction:
        test = node.args[0] if len(node.args) == 3 else None
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            raise CantWorkOut(f"{self._said(node)} should be IF(one comparison, then, else)")
        left, right = self.value(test.left), self.value(test.comparators[0])
        met = COMPARISONS.get(type(test.ops[0]))
        if met is None:
            raise CantWorkOut(f"{self._said(test)} is no comparison by > >= < <=")
        return self.value(node.args[1] if met(left, right) else node.args[2])

    def _values(self, node: ast.expr) -> list[Fraction]:
        if isinstance(node, ast.Name) and node.id not in self.cells:
            rows = [value for name, value in self.cells.items() if re.fullmatch(rf"{node.id}_\d+", name)]
            if rows:
                return rows
        return [self.value(node)]

    def _said(self, node: ast.expr) -> str:
        return (ast.get_source_segment(self.text, node) or "").replace("**", "^")


def _large(values: list[Fraction]) -> Fraction:
    """LARGE(rows, k): the k-th largest."""
    *rows, rank = values
    if not 1 <= rank <= len(rows):
        raise ValueError(f"no {rank}. of {len(rows)} rows")
    return sorted(rows, reverse=True)[int(rank) - 1]


def _count_above(values: list[Fraction]) -> Fraction:
    """COUNTABOVE(rows, x): how many of the rows are more than x."""
    *rows, limit = values
    return Fraction(sum(value > limit for value in rows))


def _round(values: list[Fraction]) -> Fraction:
    """ROUND(x, decimals), halves away from zero."""
    value, decimals = values
    return half_up(value, int(decimals))


def _floor(values: list[Fraction]) -> Fraction:
    """FLOOR(x): whole ones."""
    (value,) = values
    return Fraction(floor(value))


FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "SUM": lambda values: sum(values, Fraction(0)),
    "MAX": max,
    "MIN": min,
    "ROUND": _round,
    "FLOOR": _floor,
    "LARGE": _large,
    "COUNTABOVE": _count_above,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
}
