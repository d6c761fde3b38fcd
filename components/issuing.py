"""Who makes the issuer that a site names for certificates of its doors."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.offers import OperatorNote


def tell(issuer: str, waits: str, ctx: PlanContext) -> None:
    """Say that somebody must make it, where cert-manager itself comes with this stack, so that it can't be there yet.

    At AWS the cluster is made anew, too. `waits` is who has no certificate until then.
    """
    if not issuer or "cert-manager" in ctx.place.cluster.provides:
        return
    says = (
        f"ClusterIssuer {issuer} of the site file is made by nobody here: cert-manager comes with this stack. Make it "
        f"as soon as cert-manager runs: {waits} has no certificate until then. The run waits ten minutes for it; one "
        "that failed so is run again."
    )
    ctx.offer(OperatorNote(ctx.part, "before", says))
