"""The program of the root Pulumi project: `pulumi preview` in the repository runs it."""

from pathlib import Path

from aifactory.stacks.program.configured import register_configured

register_configured(Path(__file__).resolve().parent.parent)
