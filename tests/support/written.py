"""A small factory as a person would write it, and the means to change a word of it and see what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.blueprints.load import validated
from aifactory.blueprints.model import Blueprint
from aifactory.blueprints.parameters import bind
from aifactory.blueprints.project import Project
from aifactory.blueprints.site import Site
from aifactory.blueprints.source import parse
from aifactory.components.catalog import Catalog
from aifactory.components.problems import Problem, Refused, path_text
from aifactory.components.spec import Spec

BLUEPRINT = """\
aifactory: v1
name: demo
placement:
  core:
    sites: [lab]
parts:
  - kind: gpu-node-pool
    name: train
    accelerator: h200
    nodes: 2
    fabric: rdma
  - kind: queue
    name: teams
    pools: [train]
    tenants:
      - {name: research, gpus: 8}
      - {name: product, gpus: 8}
"""

_PORTS = "[swp1, swp2, swp3, swp4]"

SITE = f"""\
aifactory: v1
site: lab
venue: on-prem
location:
  country: DE
  city: Köln
  operator: {{name: Beispiel AG, nationality: DE}}
  support: [DE, NL]
power:
  racks: 4
  kw_per_rack: 44.0
  pue: 1.25
  usd_per_kwh: 0.19
cluster:
  version: "1.35.6"
  kubeconfig:
    context: lab
    file: ~/.kube/config
  provides:
    cert-manager: {{version: v1.21.1, features: [webhook]}}
  storage_classes:
    - {{name: shared, access: [ReadWriteOnce, ReadWriteMany], default: true}}
    - {{name: local, access: [ReadWriteOnce]}}
nodes:
  - group: gpu
    accelerator: h200
    gpus_per_node: 8
    server: HGX server
    cpus: 192
    memory_gib: 2048
    kw_per_node: 10.2
    host:
      os: ubuntu-24.04
      kernel: "6.8"
      management_nic: intel
    nic_model: connectx-7
    nics:
      - {{rail: 0, pci: "0000:1a:00.0", interface: rail0, numa: 0}}
      - {{rail: 1, pci: "0000:2b:00.0", interface: rail1, numa: 0}}
    racks:
      - {{rack: r1, block: b1, nodes: [node-1, node-2]}}
  - group: service
    server: Server
    cpus: 64
    memory_gib: 384
    kw_per_node: 0.8
    host: {{os: ubuntu-24.04, kernel: "6.8", management_nic: intel}}
    racks:
      - {{rack: r2, block: b1, nodes: [node-3]}}
network:
  pod_cidr: 10.32.0.0/14
  service_cidr: 10.36.0.0/16
  roce:
    traffic_class: 106
    priority: 3
    cnp_dscp: 48
    mtu: 9000
    mode: sriov
    rails: 2
    addresses: 172.16.0.0/16
    routed: true
    switches:
      vendor: NVIDIA SN5600
      system: cumulus
      leafs:
        - {{switch: leaf-1, block: b1, rails: [0], ports: {_PORTS}}}
        - {{switch: leaf-2, block: b1, rails: [1], ports: {_PORTS}}}
state:
  backend: file://state
  secrets_provider: passphrase
  place: DE
delivery:
  url: https://git.example.com/team/repo.git
  path: generated
"""

PROJECT = "aifactory: v1\nsites: sites\n"

TEXTS: dict[type[Spec], str] = {Blueprint: BLUEPRINT, Site: SITE, Project: PROJECT}
"""The text that a change starts from, by kind of document."""

CARET = "«"
"""Marks in a changed text where the problem must be."""


def write_project(folder: Path, blueprint: str = BLUEPRINT, **sites: str) -> Path:
    """Write a project and return the path of its blueprint. Sites are texts by name; `lab` is there anyway."""
    (folder / "sites").mkdir(parents=True, exist_ok=True)
    (folder / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
    for name, text in {"lab": SITE, **sites}.items():
        (folder / "sites" / f"{name}.yaml").write_text(text, encoding="utf-8")
    path = folder / "factory.yaml"
    path.write_text(blueprint, encoding="utf-8")
    return path


def changed(text: str, old: str, new: str) -> str:
    """The text with one part replaced, which must be there exactly once."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def accepted(model: type[Spec], old: str = "", new: str = "") -> Spec:
    """The document with a change, which the model must accept."""
    return _validated(model, changed(TEXTS[model], old, new) if old else TEXTS[model])


def refused(model: type[Spec], text: str) -> list[Problem]:
    """What the model says of a text that it must refuse."""
    with pytest.raises(Refused) as raised:
        _validated(model, text)
    return list(raised.value.problems)


def refused_once(model: type[Spec], old: str, new: str) -> tuple[str, str]:
    """Place and words of the only problem that a change makes, and the hint.

    The place is where the `CARET` stands in `new`; it is checked here, so that the words begin with the path.
    """
    assert new.count(CARET) == 1, "mark where the problem must be"
    text = changed(TEXTS[model], old, new)
    before = text[: text.index(CARET)]
    (problem,) = refused(model, text.replace(CARET, ""))
    assert problem.at is not None
    expected = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert (problem.at.line, problem.at.column) == expected, problem
    return f"{path_text(problem.path)}: {problem.says}", problem.hint


def _validated(model: type[Spec], text: str) -> Spec:
    document = bind(parse(text.encode(), "file.yaml"), {})
    return validated(model, document, Catalog.shipped())
