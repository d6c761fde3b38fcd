"""Rows of the base layer of a cluster at AWS."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.cluster.aws.drivers import kept
from aifactory.components.cluster.aws.eks import cluster_rows
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.network import network
from aifactory.components.rows import CloudRow


def cloud_rows(cloud: Cloud) -> Iterator[CloudRow]:
    """Everything that is made in the account, what others refer to first."""
    net = network(cloud)
    yield from kept(net.rows, cloud.plan)
    yield from cluster_rows(cloud, net)
