"""When a place counts as gone, so that requests go to the next order without asking it first.

A place is one host to Envoy, however many servers are behind its Service: what ejects the host ejects the pool, and
sends prompts elsewhere. A single request that fails is passed on at once, whatever stands here.
"""

from __future__ import annotations

CONNECT_TIMEOUT_S = 2
"""Time for a connection to a place. Envoy Gateway's 10 s would be waited for by each request to a host that is off."""
FAILURES_IN_A_ROW = 5
"""Connections that fail, or answers 502, 503 and 504, one after the other. A rolling restart refuses a few between
others that succeed, which begin the count anew. Source: Envoy documentation, outlier detection; 5 is its default."""
ERRORS_IN_A_ROW = 100
"""Answers of the class 5xx one after the other. Envoy Gateway counts 5 unless it is told otherwise, and has no way to
leave it out: one caller whose requests a server answers with 500 would take the pool from all."""
AWAY_S = 30
"""Time until it is asked again; as often as it was ejected, as much longer."""

SAYS = (
    f"A place is passed over for {AWAY_S} s after {FAILURES_IN_A_ROW} connections or answers 502, 503 and 504 in a row "
    f"that failed, or {ERRORS_IN_A_ROW} answers 5xx: less would send prompts elsewhere at a rolling restart, or for "
    f"one caller's bad requests. A connection has {CONNECT_TIMEOUT_S} s"
)
