"""Arguments and options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Verb = TypeVar("Verb", bound=Callable[..., Any])


def parameters(says: str) -> Callable[[Verb], Verb]:
    """`--set`."""
    return click.option("values", "--set", metavar="NAME=VALUE", multiple=True, callback=_pairs, help=says)


def blueprint(verb: Verb) -> Verb:
    """`BLUEPRINT`, `--site` and `--set`."""
    for option in (
        parameters("Set a parameter, for all sites."),
        click.option("sites", "--site", metavar="NAME", multiple=True, help="Only this site; may be repeated."),
        click.argument("blueprint", type=click.Path(path_type=Path)),
    ):
        verb = option(verb)
    return verb


def day(verb: Verb) -> Verb:
    """`--as-of`."""
    says = "Day that ages of prices count from. Default today."
    return click.option("day", "--as-of", metavar="DATE", help=says)(verb)


def warm_up(verb: Verb) -> Verb:
    """`--warm-up-h`."""
    says = "Hours that a rented node runs, at each start, before it answers; what core and flex need."
    hours = click.FloatRange(min=0, max=24)
    return click.option("warm_up_h", "--warm-up-h", type=hours, metavar="HOURS", help=says)(verb)


def output(*formats: str) -> Callable[[Verb], Verb]:
    """`--format`, `text` first and by default."""

    def decorate(verb: Verb) -> Verb:
        choice = click.Choice(["text", "json", *formats])
        return click.option("form", "--format", type=choice, default="text", help="Form of the output.")(verb)

    return decorate


def _pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, param)
        pairs[name] = value
    return pairs
