"""The rules: verdicts over documents that the other rooms produce."""
