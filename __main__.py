"""Serves `AiFactory` to Pulumi programs in other languages: the program of `PulumiPlugin.yaml`."""

from aifactory.stacks.program.hosted import host

if __name__ == "__main__":
    host()
