"""Deletes objects that were looked at. The one module here that writes."""

from __future__ import annotations

from aifactory.stacks.live.cluster import Cluster, Thing
from aifactory.stacks.live.connection import Declined


def delete(cluster: Cluster, thing: Thing, *, unchanged: bool = False) -> bool:
    """Delete an object that was looked at; with `unchanged` only if it is as it was then.

    Returns whether it was: one that is gone can't be, and another one of its name, or a changed one, stays. What it has
    outside of the cluster goes in its time.
    """
    sure = {name: thing.metadata[name] for name in ("uid", *(("resourceVersion",) if unchanged else ()))}
    try:
        cluster.connection.call("DELETE", thing.kind.path(thing.namespace, thing.name), body={"preconditions": sure})
    except Declined as declined:
        if declined.code not in (404, 409):
            raise
        return False
    return True
