"""A site file: what it may say, and what is said of it where it is wrong."""

from __future__ import annotations

import pytest

from aifactory.blueprints.load import validated
from aifactory.blueprints.parameters import bind
from aifactory.blueprints.site import Site
from aifactory.blueprints.source import parse
from aifactory.components.catalog import Catalog
from aifactory.components.given_uplink import UplinkGiven
from aifactory.components.problems import path_text
from support.refusals import Row, name, rows
from support.written import SITE, accepted, refused, refused_once

INFINIBAND = """\
  infiniband:
    subnet_manager: ufm
    mode: sriov
    rails: 8
    gbps: 400
    pkey_policy: per-tenant
    addresses: 172.20.0.0/16
    ufm:
      secret: ufm-access
      guid_pool: ["02:00:00:00:00:00:00:00", "02:00:00:00:00:00:00:ff"]
      pkeys: {research: "0x1", product: "0x7ffe"}
  roce:
"""


@pytest.mark.parametrize("row", rows("site"), ids=name)
def test_a_wrong_value_is_refused_at_its_place_with_the_cure(row: Row) -> None:
    assert refused_once(Site, row.change, row.to) == (row.says, row.hint)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("venue: on-prem", "venue: colo"),
        ("venue: on-prem", "venue: on-prem\ndescription: Ein Saal in Köln, 東京 and Αθήνα"),
        ("venue: on-prem", "venue: on-prem\ndescription: >-\n  folded\n  into one line"),
        ("venue: on-prem", 'venue: on-prem\ndescription: ""'),
        ("  city: Köln\n", ""),
        ("  pue: 1.25", "  pue: 1"),
        ("kw_per_rack: 44.0", "kw_per_rack: 8e1"),
        ("usd_per_kwh: 0.19", "usd_per_kwh: 0.19\n  kw_total: 100\n  cooling: liquid"),
        ('version: "1.35.6"', "version: v1.35.6-rke2r1"),
        ('version: "1.35.6"', 'version: "1.35.6"\n  distribution: rke2'),
        ("context: lab", "context: arn:aws:eks:eu-central-1:123456789012:cluster/lab"),
        ("context: lab", "context: admin@lab"),
        ("file: ~/.kube/config", "file: kube/lab.yaml"),
        ("    cert-manager: {version: v1.21.1, features: [webhook]}", "    {}"),
        ("shared, access: [ReadWriteOnce, ReadWriteMany], default: true", "shared, access: [ReadWriteMany]"),
        ("{name: local, access: [ReadWriteOnce]}", "{name: local, access: [ReadWriteOnce], place: NL}"),
        ("accelerator: h200", "accelerator: nvidia-h200-sxm"),
        ("    cpus: 192", "    cpus: 192\n    architecture: arm64"),
        ("nodes: [node-1, node-2]", "nodes: [node-1.example.com, node-2]"),
        ("{rack: r2, block: b1, nodes: [node-3]}", "{rack: r1, block: b1, nodes: [node-3]}"),
        ("management_nic: intel\n    nic_model", 'driver: "580.178.04"\n      management_nic: intel\n    nic_model'),
        ("system: cumulus", "system: nxos\n      ecn: {minimum_kbytes: 150, maximum_kbytes: 1500}"),
        ("switch: leaf-2, block: b1, rails: [1]", "switch: leaf-2, block: b1, rails: [1, 2]"),
        ("[0], ports: [swp1, swp2, swp3, swp4]", "[0], ports: [Ethernet1/1, Ethernet1/2, eth1.10, swp1s0]"),
        ("  roce:\n", INFINIBAND),
        ("backend: file://state", "backend: s3://bucket/path?region=eu-central-1&awssdk=v2"),
        ("backend: file://state", "backend: https://api.example.com"),
        ("secrets_provider: passphrase", "secrets_provider: awskms://alias/state?region=eu-central-1"),
        ("venue: on-prem", "venue: on-prem\nuplink: {mbit_per_s: 10000, hours_per_day: 24}"),
        ("venue: on-prem", "venue: colo\nuplink: {mbit_per_s: 0.5, hours_per_day: 2.5, longest_outage_hours: 8760}"),
        ("url: https://git.example.com/team/repo.git", "url: ssh://git@git.example.com:2222/team/repo.git"),
        ("path: generated", "path: generated/prod\n  revision: release/2026.11"),
        ("delivery:\n  url: https://git.example.com/team/repo.git\n  path: generated\n", ""),
    ],
)
def test_what_real_sites_have_is_accepted(old: str, new: str) -> None:
    assert isinstance(accepted(Site, old, new), Site)


def test_two_sites_may_have_the_same_address_spaces() -> None:
    """No packet goes from the pods or rails of one site to those of another, so nothing can collide."""
    one, other = accepted(Site), accepted(Site, "site: lab", "site: other")
    assert isinstance(one, Site)
    assert isinstance(other, Site)
    assert one.network == other.network


def test_everything_that_does_not_fit_is_said_at_once() -> None:
    text = SITE.replace("racks: 4", "racks: 1").replace("node-3", "node-1").replace("group: service", "group: gpu")
    text = text.replace("0000:2b:00.0", "0000:1a:00.0").replace("interface: rail1", "interface: rail0")
    said = {path_text(problem.path): problem.says for problem in refused(Site, text)}
    assert said == {
        "nodes[0].nics[1].pci": '"0000:1a:00.0" is the PCI address of two NICs',
        "nodes[0].nics[1].interface": '"rail0" is the interface of two NICs',
    }
    text = text.replace('rail: 1, pci: "0000:1a:00.0", interface: rail0', 'rail: 1, pci: "0000:2b:00.0", interface: x')
    said = {path_text(problem.path): problem.says for problem in refused(Site, text)}
    assert said == {
        "power.racks": "nodes stand in 2 racks, and the factory has 1",
        "nodes[1].group": '"gpu" is the name of two node groups',
        "nodes[1].racks[0].nodes[0]": 'node "node-1" stands in rack r1 and in rack r2',
    }


def test_problems_come_in_the_order_of_the_file() -> None:
    text = SITE.replace("country: DE", "country: X").replace("racks: 4", "racks: 0").replace("mtu: 9000", "mtu: 1")
    lines = [problem.at.line for problem in refused(Site, text) if problem.at]
    assert lines == sorted(lines)
    assert len(lines) == 3


def test_a_group_knows_its_nodes_in_the_order_of_racks() -> None:
    site = accepted(
        Site, "nodes: [node-1, node-2]}", "nodes: [node-1, node-2]}\n      - {rack: r0, block: b1, nodes: [a]}"
    )
    assert isinstance(site, Site)
    assert site.nodes[0].nodes == ["node-1", "node-2", "a"]


EDGE = SITE.replace("venue: on-prem", "venue: edge\nuplink: {mbit_per_s: 20, longest_outage_hours: 72}").replace(
    "  kubeconfig:\n", "  distribution: k3s\n  kubeconfig:\n", 1
)


def test_an_edge_site_says_what_it_is() -> None:
    site = validated(Site, bind(parse(EDGE.encode(), "file.yaml"), {}), Catalog.shipped())
    assert site.uplink is not None
    assert (site.venue, site.uplink.outage_hours) == ("edge", 72)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        (
            "uplink: {mbit_per_s: 20, longest_outage_hours: 72}\n",
            "",
            (3, 8),
            "a site of venue edge doesn't say how it is reached",
        ),
        ("  distribution: k3s\n", "", (16, 3), "distribution kubeadm; a site of venue edge runs k3s or rke2"),
        ("k3s", "talos", (17, 17), "distribution talos; a site of venue edge runs k3s or rke2"),
        ("[node-3]", "[node-3, node-4, node-5, node-6]", (3, 8), "6 nodes; a site of venue edge has 5 at most"),
    ],
    ids=["no uplink", "not said", "talos", "six nodes"],
)
def test_what_an_edge_site_cannot_be_is_refused(old: str, new: str, at: tuple[int, int], says: str) -> None:
    assert old in EDGE
    (problem,) = refused(Site, EDGE.replace(old, new, 1))
    assert problem.at is not None
    assert (problem.says, (problem.at.line, problem.at.column)) == (says, at)


@pytest.mark.parametrize(
    ("uplink", "outage_hours", "megabytes_per_day", "words"),
    [
        ({"mbit_per_s": 8.0, "hours_per_day": 24.0}, 0, 86_400, "as long as a repair takes"),
        ({"mbit_per_s": 8.0, "hours_per_day": 6.0}, 18, 21_600, "18 hours"),
        ({"mbit_per_s": 8.0, "hours_per_day": 6.0, "longest_outage_hours": 72.0}, 72, 21_600, "72 hours"),
        ({"mbit_per_s": 8.0, "longest_outage_hours": 0.5}, 0.5, 86_400, "0.5 hours"),
    ],
)
def test_an_uplink_says_how_long_it_is_gone_and_what_passes_in_a_day(
    uplink: dict[str, float], outage_hours: float, megabytes_per_day: float, words: str
) -> None:
    given = UplinkGiven.model_validate(uplink)
    assert (given.outage_hours, given.megabytes_per_day, given.outage) == (outage_hours, megabytes_per_day, words)
