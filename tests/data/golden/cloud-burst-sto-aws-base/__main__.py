"""Registers the rows beside this file. They were planned and checked when they were generated."""

from pathlib import Path

from aifactory.stacks.program.folder import register_folder

register_folder(Path(__file__).parent)
