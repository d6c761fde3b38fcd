"""The door: the `aifactory` command."""
