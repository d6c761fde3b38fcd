"""What the plan of a tier must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_SIZING = "NVIDIA DGX SuperPOD H100 reference architecture RA-11333, table 6"
_CEPH = "Ceph documentation, Storage Cluster, Monitor Config Reference, storage capacity"

RULES: tuple[Rule, ...] = (
    Rule(
        "STO-001",
        "error",
        "A tier stands on something that the site has",
        "A class that no driver serves leaves each claim pending, and drives that nobody named may hold a system.",
        "rook/rook#10504, rook/rook#11095",
    ),
    Rule(
        "STO-002",
        "warning",
        "What a tier holds and carries is known",
        "An unknown figure is neither zero nor enough: nothing can be said of GPUs that wait for it.",
        _SIZING,
    ),
    Rule(
        "STO-003",
        "error",
        "A tier states what may be lost without losing data",
        "Whoever keeps data there must know whether a drive, a node or a rack takes it along.",
        "Ceph documentation, CRUSH maps, failure domains",
    ),
    Rule(
        "STO-004",
        "error",
        "Ceph has a node for each copy or chunk, and three at least",
        "With fewer nodes than copies, placement groups never become clean; with fewer than three, a lost node stops "
        "all monitors' majority.",
        "Rook documentation, Prerequisites; rook/rook deploy/examples/cluster.yaml",
    ),
    Rule(
        "STO-005",
        "warning",
        "The data of a lost node has room on the others",
        "Where it hasn't, one more failure before the node returns is one that no copy covers, and a cluster that "
        "fills while it repairs stops writing.",
        _CEPH,
    ),
    Rule(
        "STO-006",
        "error",
        "What is wanted fits, after redundancy and fill limit",
        "Ceph stops all writing at its full ratio: every tier in the cluster stops with the one that grew.",
        _CEPH,
    ),
    Rule(
        "STO-007",
        "error",
        "No GPU waits for reading",
        "A GPU that waits for its data costs as much as one that computes.",
        _SIZING,
    ),
    Rule(
        "STO-008",
        "error",
        "No GPU waits for writing",
        "While a checkpoint is written all ranks stand still, and bursts decide the rate.",
        _SIZING,
    ),
    Rule(
        "STO-009",
        "warning",
        "Where GPUs wait for a tier, its rates are known",
        "Starvation is then found when the GPUs are paid for already.",
        _SIZING,
    ),
    Rule(
        "STO-010",
        "error",
        "A cluster has one default class",
        "A claim without a class lands on the default that was made last: on another storage after a change.",
        "kubernetes.io docs, Storage Classes, default StorageClass",
    ),
    Rule(
        "STO-011",
        "error",
        "Every volume lies on a tier",
        "A volume on a class outside of all tiers has no stated failure domain, place or rate.",
        "kubernetes.io docs, Storage Classes",
    ),
    Rule(
        "STO-012",
        "error",
        "What must last lies on a tier that outlives a node",
        "Local volumes die with their node, and the checkpoint with the run that it should have saved.",
        "topolvm/topolvm docs/limitations.md",
    ),
    Rule(
        "STO-013",
        "error",
        "Data, its keys and its copies lie where its class may be",
        "A copy or a key in another country is under that country's orders.",
        "Regulation (EU) 2016/679, articles 44 to 49",
    ),
    Rule(
        "STO-014",
        "warning",
        "Classified data is encrypted, by a key whose place is known",
        "Drives leave the building when they fail.",
        "NIST SP 800-111, Guide to Storage Encryption Technologies",
    ),
    Rule(
        "STO-015",
        "error",
        "Tiers feed each other in one direction",
        "Data flows from objects to files to drives of the node; a tier fed by a faster one empties what it should "
        "fill.",
        "NVIDIA DGX SuperPOD H100 reference architecture RA-11333, storage architecture",
    ),
    Rule(
        "STO-016",
        "error",
        "A site has one Ceph cluster and one set of local volumes of ours",
        "Two clusters of one operator in one namespace fight for the same drives and names.",
        "Rook documentation, CephCluster CRD",
    ),
    Rule(
        "STO-017",
        "error",
        "Erasure codes are for buckets",
        "Small overwrites of volumes rewrite whole stripes; buckets are written once.",
        "Ceph documentation, Erasure code, overwrites; rook/rook#6364",
    ),
    Rule(
        "STO-018",
        "warning",
        "Data that is written has three copies, or two chunks to lose",
        "With less, a drive that fails during the repair of another loses data.",
        "Ceph documentation, Pools, size and min_size",
    ),
    Rule(
        "STO-019",
        "error",
        "Snapshots are taken by somebody",
        "A snapshot of a driver that takes none is pending for ever, and seen when it is needed.",
        "kubernetes-csi/external-snapshotter README",
    ),
    Rule(
        "STO-020",
        "error",
        "NFS over RDMA has RDMA at both ends",
        "A mount hangs when the module is missing at one of them.",
        "Mellanox/network-operator#1830; Mellanox/doca-driver-build#89",
    ),
    Rule(
        "STO-021",
        "error",
        "Ceph stays below its first warning",
        "At 85 percent Ceph warns, at 90 it moves no more data to a drive, at 95 it stops writing.",
        _CEPH,
    ),
    Rule(
        "STO-022",
        "warning",
        "Data that lasts has a copy elsewhere",
        "Redundancy covers drives and nodes, and neither fire nor a deletion by mistake.",
        "NIST SP 800-209, Security Guidelines for Storage Infrastructure, backups",
    ),
    Rule(
        "STO-023",
        "error",
        "A path belongs to a tenant",
        "A claim in a namespace that nobody makes is never bound; a fill from another tenant's bucket has no key.",
        "lib-bucket-provisioner design, ObjectBucketClaim",
    ),
    Rule(
        "STO-024",
        "warning",
        "Keys of drives are kept apart from the cluster",
        "Ceph keeps keys of hosts' drives in its monitors' store, on a disk of the same nodes: who takes a node away "
        "has both.",
        "Rook documentation, Key Management System; rook/rook#13410, #16992",
    ),
    Rule(
        "STO-025",
        "error",
        "A class of ours has a name of its own",
        "A class can't be changed, so one of the same name can't become ours.",
        "kubernetes.io docs, Storage Classes",
    ),
    Rule(
        "STO-031",
        "error",
        "All that lies on a tier fits",
        "Volumes of runs, models, databases and telemetry fill a tier as its paths do, and a full one stops them all.",
        _CEPH,
    ),
    Rule(
        "STO-032",
        "error",
        "All tiers of one system fit in it",
        "Two tiers on one class or share fill the same drives; each alone would fit.",
        "kubernetes.io docs, Storage Classes",
    ),
    Rule(
        "STO-033",
        "error",
        "A prefetch fits in what it fills",
        "A copy that is larger than its volume fails when the volume is full, after hours, and each retry fails again.",
        "rclone documentation, copy",
    ),
    Rule(
        "STO-027",
        "error",
        "GPUDirect Storage has all that it needs",
        "Where file system, nvidia-fs or driver lacks it, cuFile copies through the CPU and says nothing.",
        "NVIDIA GPU Operator documentation, platform support, GPUDirect Storage; NVIDIA/gds-nvidia-fs#31, #4",
    ),
    Rule(
        "STO-029",
        "warning",
        "Drives have names that last",
        "The kernel numbers drives as it finds them: after a reboot or with one drive more the pattern matches others, "
        "and what is on them is at stake.",
        "Rook documentation, CephCluster CRD, storage selection settings; rook/rook#10504",
    ),
    Rule(
        "STO-030",
        "error",
        "There are racks enough to keep copies apart, and the smallest hold what is wanted",
        "With fewer racks than copies or chunks, placement groups never become clean; racks of unequal size are full "
        "when the smallest is, and the rest of the others lies idle.",
        "Ceph documentation, CRUSH maps; Rook documentation, CephCluster CRD, OSD Topology",
    ),
    Rule(
        "STO-036",
        "error",
        "Classified data crosses the network encrypted",
        "Buckets answer each request in clear without TLS, keys to them too: whoever sees a node's network reads both.",
        "NIST SP 800-52 rev. 2; Rook documentation, CephObjectStore CRD, securePort",
    ),
    Rule(
        "STO-037",
        "error",
        "Where keys and copies lie is stated by the site",
        "A blueprint runs at several sites, and a wish in it moves no machine: what nobody stated may be anywhere.",
        "Regulation (EU) 2016/679, articles 28 and 44 to 49",
    ),
    Rule(
        "STO-026",
        "error",
        "A schedule of snapshots is kept by something",
        "A schedule that nothing follows is found when the file that it should bring back is gone.",
        "NIST SP 800-209, Security Guidelines for Storage Infrastructure, snapshots; Ceph documentation, "
        "mds_max_snaps_per_dir",
    ),
    Rule(
        "STO-028",
        "error",
        "Retention is kept by what holds the data",
        "A time of deletion, or a lock, that nothing enforces is a promise to an auditor that nobody keeps.",
        "Ceph documentation, Object Gateway S3 API, bucket operations; Ceph release notes 19.2.3, "
        "PutObjectLockConfiguration",
    ),
    Rule(
        "STO-050",
        "error",
        "Drives whose keys lie in a Vault have paths of their own",
        "Rook asks a Vault for keys of drives that are volumes, and of drives of hosts it asks none: their keys would "
        "stay beside them, whatever the plan says.",
        "rook/rook#13410; Rook documentation, Key Management System; pkg/operator/ceph/cluster/osd/provision_spec.go",
    ),
    Rule(
        "STO-051",
        "error",
        "Tiers of one Ceph cluster name the keys that its drives have",
        "Drives are encrypted once, for all that lies on them: another key in a plan is one that nothing uses.",
        "Rook documentation, CephCluster CRD, storageClassDeviceSets, encrypted",
    ),
    Rule(
        "STO-052",
        "warning",
        "Databases lie on devices",
        "PostgreSQL is sound on NFS only where mounts are hard and the server writes before it answers, which no class "
        "states; a mount that is lost for a while can leave a broken index.",
        "PostgreSQL documentation, Creating a Database Cluster, File Systems, NFS",
    ),
    Rule(
        "STO-053",
        "warning",
        "Drives last as long as their vendor guarantees",
        "Keys and values are written without a pause: drives made for reading are worn out in months, all of a node in "
        "the same week.",
        "JEDEC JESD218, endurance of solid state drives; data sheets, drive writes per day",
    ),
)
