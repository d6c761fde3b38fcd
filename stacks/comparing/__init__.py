"""What changed between two plans, by meaning: parts, decisions and rows, never lines."""
