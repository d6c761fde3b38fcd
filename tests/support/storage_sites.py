"""Cases of storage rules that judge what a site states: racks, names of drives, places of keys and copies, issuers."""

from typing import Any

from aifactory.components.base import Place
from support.storage_wishes import OBJECTS, OLD_KEY, RACKED, WORK, classed, drives, kept
from support.stored import BULK, COPIES, KEY, SHARED, TAPES, VAULT, racked, site, storage_group, tier, without

Case = tuple[str, list[dict[str, Any]], Place | None, str]
"""Rule, parts, site if not the usual one, and words of what is said."""

OF_SITES: list[Case] = [
    ("STO-027", [tier(gds=True)], None, "doesn't say that clients of the vast system serve GPUDirect Storage"),
    ("STO-027", [tier(gds=True)], classed(gds=True), "which reads past the CPU | set gds of train to true"),
    (
        "STO-027",
        [tier(engine="rook-ceph", name="work", fill_percent=63, gds=True), tier()],
        None,
        "use engine existing, nfs-rdma or topolvm",
    ),
    (
        "STO-029",
        [OBJECTS, tier()],
        drives(by_path=None, filter="^nvme[1-6]n1$"),
        "found by the kernel's names, ^nvme[1-6]n1$ | name them in the site file by_path",
    ),
    (
        "STO-030",
        [RACKED, tier()],
        site(racked(2, 2)),
        "keeps 3 replicas in 2 racks of group storage, and needs 3: one for each copy or chunk, and for each of 3",
    ),
    (
        "STO-030",
        [{**RACKED, "redundancy": {"replicas": 2}}, tier()],
        site(racked(2, 2)),
        "put its nodes into 3 racks, or set failure_domain to node",
    ),
    (
        "STO-030",
        [{**RACKED, "redundancy": {"data": 4, "parity": 2}}, tier()],
        site(racked(2, 2, 2, 2, 2)),
        "keeps 4+2 in 5 racks of group storage, and needs 6",
    ),
    # 8 nodes of 83.819 TiB hold 670.552; racks of 4, 2 and 2 fill to 502.914: x 0.63 / 3 = 105.61, and 140.82 evenly.
    (
        "STO-030",
        [{**RACKED, "size_tib": 106.0}, tier()],
        site(racked(4, 2, 2)),
        "racks of 335.3, 167.6, 167.6 TiB hold 105.61: the smaller are full when 502.9 of 670.6 TiB are | put as many",
    ),
    (
        "STO-030",
        [RACKED, tier()],
        site(storage_group(racks=[{"rack": f"sto-{n}", "block": "b1", "nodes": [f"sto-{n}"]} for n in range(1, 5)])),
        "has the name of a node",
    ),
    ("STO-005", [RACKED, tier()], site(racked(2, 2, 2)), "leave no rack on which a lost one's data is made again"),
    # One of four racks lost: 4 x 75 / 3 = 100 in the mean, and 85 of it at 63.75.
    (
        "STO-005",
        [{**RACKED, "fill_percent": 75}, tier()],
        site(racked(2, 2, 2, 2)),
        "100 percent full in the mean, and their fullest drive up to 5 points more | set fill_percent to 63",
    ),
    (
        "STO-036",
        [{**OBJECTS, "data_class": "customer", "encryption": KEY}, tier()],
        site(cluster={"certificates": None}),
        "lab states no issuer for their certificate | add cluster.certificates",
    ),
    (
        "STO-050",
        [{**OBJECTS, "encryption": KEY}, tier()],
        site(storage_group(drives={**without(BULK, "by_path"), "filter": "^nvme[1-6]n1$"})),
        "are found by ^nvme[1-6]n1$: a local volume needs a path",
    ),
    (
        "STO-051",
        [{**OBJECTS, "encryption": {}}, {**WORK, "beside": "objects", "encryption": KEY}, tier()],
        None,
        "names https://vault.example.com:8200/rook for its keys, and the drives of objects have the store of Ceph's",
    ),
    (
        "STO-051",
        [OBJECTS, {**WORK, "beside": "objects", "encryption": KEY}, tier()],
        None,
        "have no encryption of this factory | write the same encryption as tier objects does",
    ),
    (
        "STO-025",
        [{**OBJECTS, "encryption": KEY}],
        site(classes=[{**SHARED, "name": "objects-drives", "default": False}]),
        "has a StorageClass objects-drives already",
    ),
    ("STO-037", [{**OBJECTS, "encryption": {"keys": "valut"}}, tier()], None, 'did you mean "vault"?'),
    (
        "STO-037",
        [{**OBJECTS, "encryption": {"keys": "vault"}}, tier()],
        kept(key_stores=[]),
        "add it to storage.key_stores of the site file",
    ),
    (
        "STO-037",
        [{**OBJECTS, "encryption": {**OLD_KEY, "place": "FR"}}, tier()],
        None,
        "is thought to be in FR, and lab states DE | delete place",
    ),
    (
        "STO-037",
        [{**OBJECTS, "data_class": "customer", "encryption": {**OLD_KEY, "place": "DE"}}, tier()],
        kept(key_stores=[]),
        "where store of keys https://vault.example.com:8200/rook lies is not stated by lab, and customer data may",
    ),
    (
        "STO-037",
        [{**OBJECTS, "data_class": "customer", "encryption": KEY}, tier()],
        kept(key_stores=[without(VAULT, "place")]),
        "may not go to unknown places | name it in storage.key_stores of the site file, with place",
    ),
    (
        "STO-037",
        [{**OBJECTS, "encryption": {"place": "FR"}}, tier()],
        None,
        "the store of Ceph's monitors is thought to be in FR",
    ),
    (
        "STO-037",
        [tier(data_class="customer", copies=[{**COPIES[0], "to": "tpaes", "place": "DE"}])],
        None,
        'did you mean "tapes"?',
    ),
    (
        "STO-037",
        [tier(data_class="customer", copies=[{**COPIES[0], "to": "tape library", "place": "DE"}])],
        kept(copy_targets=[]),
        "add it to storage.copy_targets of the site file, with its place",
    ),
    (
        "STO-037",
        [tier(data_class="customer")],
        kept(copy_targets=[without(TAPES, "place")]),
        "add place: {country, operator, nationality} to copy target tapes",
    ),
    ("STO-037", [tier(copies=[{**COPIES[0], "place": "FR"}])], None, "is thought to be in FR"),
]
