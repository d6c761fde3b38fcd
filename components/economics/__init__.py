"""Money, energy and what follows from both, in exact arithmetic, without catalog or plan. Decision 0045."""
