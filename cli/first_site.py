"""The text of a first blueprint and site: small, valid, and with a remark where a person must put real values."""

from __future__ import annotations

from msgspec import Struct

_NODES_PER_RACK = 4
_RAILS = 8


class Answers(Struct, frozen=True):
    """What `init` was told."""

    name: str
    site: str
    venue: str
    country: str
    accelerator: str
    nodes: int
    fabric: str
    tenants: tuple[str, ...]


def factory_text(answers: Answers) -> str:
    """`factory.yaml`: one pool, a queue with a share for each team."""
    fabric = "none" if answers.fabric == "none" else "rdma"
    workload = "    workload: inference\n" if fabric == "none" else ""
    share = max(1, answers.nodes // len(answers.tenants)) * _gpus(answers)
    share = share if share * len(answers.tenants) <= answers.nodes * _gpus(answers) else 0
    tenants = "".join(f"      - {{name: {team}, gpus: {share}}}\n" for team in answers.tenants)
    return (
        f"aifactory: v1\nname: {answers.name}\n\nplacement:\n  core: {{sites: [{answers.site}]}}\n\n"
        f"parts:\n  - kind: gpu-node-pool\n    name: gpus\n    accelerator: {answers.accelerator}\n"
        f"    nodes: all\n    fabric: {fabric}\n{workload}\n"
        f"  - kind: queue\n    name: teams\n    pools: [gpus]\n    tenants:\n{tenants}"
    )


def site_text(answers: Answers) -> str:
    """`sites/SITE.yaml`. Values that nobody can guess are marked with REPLACE."""
    racks = -(-answers.nodes // _NODES_PER_RACK)
    return f"""\
# Values marked REPLACE are examples: put what your site has.
aifactory: v1
site: {answers.site}
venue: {answers.venue}
location:
  country: {answers.country}
  operator: {{name: Example Operator, nationality: {answers.country}}}   # REPLACE
  support: [{answers.country}]   # REPLACE: countries with administrative access
power: {{racks: {racks}, kw_per_rack: 66.0, pue: 1.3, usd_per_kwh: 0.15}}   # REPLACE

cluster:
  version: "1.35.6"   # REPLACE: kubectl version
  kubeconfig: {{context: {answers.site}}}   # REPLACE: kubectl config get-contexts
  provides: {{}}   # REPLACE: what runs there already, such as cert-manager: {{version: v1.21.1}}
  storage_classes:
    - {{name: standard, access: [ReadWriteOnce, ReadWriteMany], default: true}}   # REPLACE: kubectl get storageclass

nodes:
  - group: gpu
    accelerator: {answers.accelerator}
    gpus_per_node: {_gpus(answers)}
    server: GPU server   # REPLACE
    cpus: 192   # REPLACE
    memory_gib: 2048   # REPLACE
    kw_per_node: {"10.2" if _gpus(answers) > 1 else "1.2"}   # REPLACE: highest measured draw
    host: {{os: ubuntu-24.04, kernel: "6.8", management_nic: intel}}   # REPLACE
{_nics(answers)}    racks:
{_racks(answers)}
network:
  pod_cidr: 10.64.0.0/14   # REPLACE
  service_cidr: 10.68.0.0/16   # REPLACE
{_network(answers)}
state: {{backend: "file://state", secrets_provider: passphrase, place: {answers.country}}}
"""


def _gpus(answers: Answers) -> int:
    return 1 if answers.accelerator in ("l4", "nvidia-l4") else 8


def _nics(answers: Answers) -> str:
    if answers.fabric == "none":
        return ""
    lines = [
        "    nic_model: connectx-7   # REPLACE\n    nics:   # REPLACE: lspci -D | grep -i mellanox, rail by rail\n"
    ]
    prefix = "ib" if answers.fabric == "infiniband" else "eth"
    for rail in range(_RAILS):
        pci = f"0000:{0x1A + 0x11 * rail:02x}:00.0"
        lines.append(
            f'      - {{rail: {rail}, pci: "{pci}", interface: {prefix}_rail{rail}, numa: {rail // 4}}}\n'
        )
    return "".join(lines)


def _racks(answers: Answers) -> str:
    lines = []
    for rack in range(-(-answers.nodes // _NODES_PER_RACK)):
        first, last = rack * _NODES_PER_RACK, min((rack + 1) * _NODES_PER_RACK, answers.nodes)
        nodes = ", ".join(f"{answers.site}-gpu-{node + 1:03d}" for node in range(first, last))
        lines.append(
            f"      - {{rack: r{rack + 1:02d}, block: b1, nodes: [{nodes}]}}   # REPLACE: kubectl get nodes\n"
        )
    return "".join(lines)


def _network(answers: Answers) -> str:
    if answers.fabric == "none":
        return ""
    if answers.fabric == "infiniband":
        return (
            "  infiniband:   # REPLACE\n    subnet_manager: ufm\n    mode: sriov\n    rails: 8\n    gbps: 400\n"
            "    pkey_policy: default-only\n    addresses: 172.20.0.0/14\n"
        )
    ports = ", ".join(f"swp{port}" for port in range(1, 65))
    leafs = "".join(
        f"        - {{switch: leaf-{rail:02d}, block: b1, rails: [{rail}], ports: [{ports}]}}\n"
        for rail in range(_RAILS)
    )
    return (
        "  roce:   # REPLACE: must agree with the switches\n    traffic_class: 106\n    priority: 3\n    cnp_dscp: 48\n"
        "    mtu: 9000\n    mode: sriov\n    rails: 8\n    addresses: 172.16.0.0/14\n    routed: true\n    switches:\n"
        f"      vendor: Example\n      system: cumulus\n      leafs:\n{leafs}"
    )
