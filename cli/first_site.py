"""The text of a first blueprint and site: small, valid, with a remark where a person must put real values."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct

from aifactory.cli.first_aws_site import aws_site_text, rented, rented_text
from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool.accelerators import card
from aifactory.components.gpu_node_pool.driver import default_release
from aifactory.components.venues import VENUES, Venue, VenueFacts

_NODES_PER_RACK = 4
_RACKS_PER_BLOCK = 8
_RAILS = 8
_GPUS_OF_A_BASEBOARD = 8
_GPUS_OF_A_CARD_SERVER = 4


class Answers(Struct, frozen=True):
    """What `init` was told."""

    name: str
    site: str
    venue: Venue
    country: str
    accelerator: str
    nodes: int
    fabric: str
    tenants: tuple[str, ...]
    region: str = ""
    """Region of AWS, empty elsewhere."""


def factory_text(answers: Answers) -> str:
    """`factory.yaml`: one pool, a queue with a share for each team."""
    fabric = "none" if answers.fabric == "none" else "rdma"
    workload = "    workload: inference\n" if fabric == "none" else ""
    if _facts(answers).nodes_at_most:
        workload += "    dedicated: false   # there are no other nodes for controllers\n"
    nodes = str(answers.nodes) if _facts(answers).makes_cluster else "all"
    tenants = "".join(
        f"      - {{name: {team}, gpus: {gpus}}}\n"
        for team, gpus in zip(answers.tenants, _shares(answers), strict=True)
    )
    return (
        f"aifactory: v1\nname: {answers.name}\n\nplacement:\n  core: {{sites: [{answers.site}]}}\n\n"
        f"parts:\n  - kind: gpu-node-pool\n    name: gpus\n    accelerator: {answers.accelerator}\n"
        f"    nodes: {nodes}\n    fabric: {fabric}\n{workload}\n"
        f"  - kind: queue\n    name: teams\n    pools: [gpus]\n    tenants:\n{tenants}"
    )


def site_text(answers: Answers) -> str:
    """`sites/SITE.yaml`. Values that nobody can guess are marked with REPLACE."""
    if _facts(answers).makes_cluster:
        efa = answers.fabric == "efa"
        nodes = rented_text(answers.accelerator, answers.region, answers.nodes, efa=efa)
        return aws_site_text(answers.site, answers.region, nodes)
    kw = _kw_per_node(answers)
    kw_per_rack = math.ceil(1.1 * kw * _NODES_PER_RACK)
    facts = _facts(answers)
    runs = f"  distribution: {facts.distributions[0]}   # REPLACE\n" if facts.distributions else ""
    access = "[ReadWriteOnce]" if facts.nodes_at_most else "[ReadWriteOnce, ReadWriteMany]"
    driver = _driver(answers) if facts.starts_offline else ""
    uplink = "uplink: {mbit_per_s: 20, longest_outage_hours: 24}   # REPLACE\n" if facts.starts_offline else ""
    return f"""\
# Values marked REPLACE are examples: put what your site has.
aifactory: v1
site: {answers.site}
venue: {answers.venue}
location:
  country: {answers.country}
  operator: {{name: Example Operator, nationality: {answers.country}}}   # REPLACE
  support: [{answers.country}]   # REPLACE: countries with administrative access
power: {{racks: {_racks(answers)}, kw_per_rack: {kw_per_rack}.0, pue: 1.3, usd_per_kwh: 0.15}}   # REPLACE

cluster:
  version: "1.35.6"   # REPLACE: kubectl version
{runs}  kubeconfig: {{context: {answers.site}}}   # REPLACE: kubectl config get-contexts
  provides: {{}}   # REPLACE: what runs there already, such as cert-manager: {{version: v1.21.1}}
  storage_classes:   # REPLACE: kubectl get storageclass
    - {{name: standard, access: {access}, default: true}}

nodes:
  - group: gpu
    accelerator: {answers.accelerator}
    gpus_per_node: {gpus_per_node(answers)}   # REPLACE if it has others
    server: GPU server   # REPLACE
    cpus: 192   # REPLACE
    memory_gib: 2048   # REPLACE
    kw_per_node: {kw}   # REPLACE: highest measured draw
    host: {{os: ubuntu-24.04, kernel: "6.8", {driver}management_nic: intel}}   # REPLACE
{"".join(_nic_lines(answers))}    racks:   # REPLACE: kubectl get nodes
{"".join(_rack_lines(answers))}
network:
  pod_cidr: 10.64.0.0/14   # REPLACE
  service_cidr: 10.68.0.0/16   # REPLACE
{"".join(_network_lines(answers))}
{uplink}state: {{backend: "file://state", secrets_provider: passphrase, place: {answers.country}}}
"""


def _driver(answers: Answers) -> str:
    """The release that a pool would get; nothing where the catalog has none, which `check` then refuses."""
    catalog = Catalog.shipped()
    release = default_release(catalog, card(catalog, answers.accelerator))
    return f'driver: "{release.version}", ' if release else ""


def _facts(answers: Answers) -> VenueFacts:
    return VENUES[answers.venue]


def gpus_per_node(answers: Answers) -> int:
    """What the catalog says, else what servers of the form usually have."""
    if answers.region:
        found = rented(answers.accelerator, answers.region, efa=answers.fabric == "efa")
        if found is not None:
            return found[0].count("accelerator_count")
    row = Catalog.shipped().row("accelerators", answers.accelerator)
    known = row.value("gpus_per_node")
    if isinstance(known, int):
        return known
    return _GPUS_OF_A_BASEBOARD if row.text("form_factor").startswith("SXM") else _GPUS_OF_A_CARD_SERVER


def _kw_per_node(answers: Answers) -> float:
    """A guess: the GPUs with a third more for fans and losses, and the rest of the server."""
    row = Catalog.shipped().row("accelerators", answers.accelerator)
    watts = row.value("power_w")
    gpu_kw = (watts if isinstance(watts, int | float) else 700) / 1000
    server_kw = 3.0 if row.text("form_factor").startswith("SXM") else 1.2
    return round(1.3 * gpu_kw * gpus_per_node(answers) + server_kw, 1)


def _shares(answers: Answers) -> list[int]:
    """GPUs of each team: whole nodes while there are enough, else single GPUs."""
    teams, gpus = len(answers.tenants), gpus_per_node(answers)
    if answers.nodes >= teams:
        return [answers.nodes // teams * gpus] * teams
    return [answers.nodes * gpus // teams] * teams


def _racks(answers: Answers) -> int:
    return -(-answers.nodes // _NODES_PER_RACK)


def _blocks(answers: Answers) -> int:
    return -(-_racks(answers) // _RACKS_PER_BLOCK)


def _nic_lines(answers: Answers) -> Iterator[str]:
    if answers.fabric == "none":
        return
    yield "    nic_model: connectx-7   # REPLACE\n    nics:   # REPLACE: lspci -D | grep -i mellanox, rail by rail\n"
    prefix = "ib" if answers.fabric == "infiniband" else "eth"
    for rail in range(_RAILS):
        pci = f"0000:{0x1A + 0x11 * rail:02x}:00.0"
        yield f'      - {{rail: {rail}, pci: "{pci}", interface: {prefix}_rail{rail}, numa: {rail // 4}}}\n'


def _rack_lines(answers: Answers) -> Iterator[str]:
    for rack in range(_racks(answers)):
        first, last = rack * _NODES_PER_RACK, min((rack + 1) * _NODES_PER_RACK, answers.nodes)
        nodes = ", ".join(f"{answers.site}-gpu-{node + 1:03d}" for node in range(first, last))
        yield f"      - {{rack: r{rack + 1:02d}, block: b{rack // _RACKS_PER_BLOCK + 1}, nodes: [{nodes}]}}\n"


def _network_lines(answers: Answers) -> Iterator[str]:
    if answers.fabric == "infiniband":
        yield "  infiniband:   # REPLACE\n    subnet_manager: ufm\n    mode: sriov\n"
        yield f"    rails: {_RAILS}\n    gbps: 400\n    pkey_policy: default-only\n    addresses: 172.20.0.0/14\n"
    if answers.fabric != "roce":
        return
    yield "  roce:   # REPLACE: must agree with the switches\n    traffic_class: 106\n    priority: 3\n"
    yield f"    cnp_dscp: 48\n    mtu: 9000\n    mode: sriov\n    rails: {_RAILS}\n    addresses: 172.16.0.0/14\n"
    yield "    routed: true\n    switches:\n      vendor: Example\n      system: cumulus\n      leafs:\n"
    per_block = _NODES_PER_RACK * _RACKS_PER_BLOCK
    ports = ", ".join(f"swp{port}" for port in range(1, min(answers.nodes, per_block) + 1))
    for block in range(1, _blocks(answers) + 1):
        for rail in range(_RAILS):
            name = f"leaf-b{block}-{rail}"
            yield f"        - {{switch: {name}, block: b{block}, rails: [{rail}], ports: [{ports}]}}\n"
