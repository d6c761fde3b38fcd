"""Drives of Ceph as the site names them, in the cluster's row."""

from aifactory.components.offers import OperatorNote
from aifactory.components.rows import KubernetesRow
from support.planning import Planned
from support.stored import BULK, KEY, body, broken, says, site, storage_group, tier, tiered, without

OBJECTS = tier("object", name="objects", size_tib=30.0, fill_percent=63, encryption=KEY)
CEPH = "CephCluster.ceph.rook.io/rook-ceph/rook-ceph"


def volumes_of_drives(found: Planned) -> list[KubernetesRow]:
    """The drives of Ceph that are volumes."""
    rows = (row for row in found.rows.values() if isinstance(row, KubernetesRow))
    return [row for row in rows if row.body["kind"] == "PersistentVolume"]


def test_drives_by_lasting_names_stand_there_one_by_one() -> None:
    paths = {f"sto-{node}": [f"/dev/disk/by-id/nvme-X{node}{drive}" for drive in range(6)] for node in range(1, 5)}
    at = site(storage_group(drives={**without(BULK, "by_path"), "by_id": paths}))
    storage = body(tiered(without(OBJECTS, "encryption"), tier(), at=at), CEPH)["spec"]["storage"]
    assert storage["nodes"][0] == {"name": "sto-1", "devices": [{"name": path} for path in paths["sto-1"]]}


def test_drives_by_pattern_stay_a_pattern() -> None:
    at = site(storage_group(drives={**without(BULK, "by_path"), "filter": "^nvme[1-6]n1$"}))
    storage = body(tiered(without(OBJECTS, "encryption"), tier(), at=at), CEPH)["spec"]["storage"]
    assert storage["nodes"][0] == {"name": "sto-1", "deviceFilter": "^nvme[1-6]n1$"}


def test_another_drive_in_the_site_file_is_another_volume_and_the_others_stay() -> None:
    paths = {f"sto-{node}": [f"/dev/disk/by-id/nvme-X{node}{drive}" for drive in range(6)] for node in range(1, 5)}
    changed = {**paths, "sto-1": ["/dev/disk/by-id/nvme-NEW", *paths["sto-1"][1:]]}
    groups = [storage_group(drives={**without(BULK, "by_path"), "by_id": each}) for each in (paths, changed)]
    before, after = ({row.id for row in volumes_of_drives(tiered(OBJECTS, tier(), at=site(each)))} for each in groups)
    assert (len(before - after), len(after - before), len(before & after)) == (1, 1, 23)


def test_keys_that_no_vault_has_lie_with_the_monitors_and_the_guide_says_what_to_encrypt() -> None:
    found = tiered({**OBJECTS, "encryption": {}}, tier())
    storage = body(found, CEPH)["spec"]["storage"]
    assert storage["config"] == {"encryptedDevice": "true"}
    assert "kms" not in body(found, CEPH)["spec"].get("security", {})
    assert "STO-024" in broken(found)
    assert "the store of Ceph's monitors" in says(found)
    notes = [each.says for each in found.site_plan.offers if isinstance(each, OperatorNote) and each.when == "before"]
    assert [each for each in notes if "/var/lib/rook" in each and "encrypt" in each]
    assert volumes_of_drives(found) == []
