"""What a fabric's plan keeps, each truth with the failure it prevents."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "FAB-001",
        "error",
        "The site has the fabric that is asked for",
        "A pool without its fabric falls back to the pod network, at a hundredth of the bandwidth. With two "
        "fabrics a guess would decide which NICs are reconfigured.",
        "NVIDIA/k8s-launch-kit docs/user/profiles.md",
    ),
    Rule(
        "FAB-002",
        "error",
        "A fabric of a site has one owner",
        "Two parts that configure the same NICs undo each other: no NicConfigurationTemplate is applied "
        "when two match a device.",
        "Mellanox/nic-configuration-operator README.md",
    ),
    Rule(
        "FAB-003",
        "warning",
        "A fabric joins pools",
        "A fabric that no pool uses configures nothing, so its policy has no effect.",
        "NVIDIA/k8s-launch-kit docs/user/profiles.md",
    ),
    Rule(
        "FAB-004",
        "error",
        "Nodes have one NIC on each rail",
        "A pod asks for one device of each rail. A node that misses a rail never gets such a pod, and two "
        "NICs on one rail leave half of the bandwidth unused.",
        "Mellanox/netop-tools, per-platform samples",
    ),
    Rule(
        "FAB-005",
        "error",
        "Nodes of a pool have the same NICs at the same places",
        "SR-IOV and NIC policies select NICs by PCI address. Where a node differs, its NIC stays "
        "unconfigured and the pod of the gang that lands there hangs.",
        "NVIDIA/k8s-launch-kit docs/user/heterogeneous-clusters.md",
    ),
    Rule(
        "FAB-006",
        "error",
        "A NIC belongs to one fabric",
        "The link type is a firmware setting of the whole NIC: it is Ethernet or InfiniBand, never both.",
        "Mellanox/nic-configuration-operator README.md",
    ),
    Rule(
        "FAB-007",
        "error",
        "The RDMA driver has an owner",
        "GPUDirect RDMA needs DOCA-OFED on the node, loaded by the Network Operator or installed on the "
        "host. Without it the GPU driver waits for ever.",
        "NVIDIA/cloud-native-stack#95; NVIDIA/aicr CheckHostMofedWithoutNetworkOperator",
    ),
    Rule(
        "FAB-008",
        "warning",
        "No driver is reloaded under the management NIC",
        "The driver container restarts openibd. A node whose management runs over a Mellanox NIC loses its "
        "network then, is marked NotReady, and loops.",
        "Mellanox/network-operator#2176",
    ),
    Rule(
        "FAB-009",
        "error",
        "Lossless traffic has a priority and markings of its own",
        "PFC pauses whole priorities. RDMA on the priority of ordinary traffic or of congestion "
        "notifications stops those too, and RoCE collapses under incast.",
        "NVIDIA/nccl#378; NVIDIA/nccl#306; NVIDIA/nccl#173",
    ),
    Rule(
        "FAB-010",
        "error",
        "Switch ports carry the frames of the hosts",
        "A frame above the MTU of the port is dropped without an error: NCCL reports timeouts only.",
        "NVIDIA/nccl#2409",
    ),
    Rule(
        "FAB-011",
        "warning",
        "The MTU carries RDMA messages of 4096 bytes",
        "The NIC takes the largest RDMA path MTU that fits the interface. Below 4200 bytes that is 2048 or "
        "less, and packet rate limits the bandwidth.",
        "NVIDIA MLNX_OFED documentation, RoCE: MTU",
    ),
    Rule(
        "FAB-012",
        "error",
        "Each rail of each block ends on one leaf",
        "NIC i of every node meets at leaf i. A rail without a leaf has no settings, and a rail on two "
        "leafs has no defined port.",
        "NVIDIA DGX SuperPOD reference architecture RA-11333",
    ),
    Rule(
        "FAB-013",
        "error",
        "A leaf has a port for each node and rail",
        "A node without a port is not on the fabric, which shows only when the first gang spans it.",
        "NVIDIA DGX SuperPOD reference architecture RA-11333",
    ),
    Rule(
        "FAB-014",
        "warning",
        "ECN thresholds are stated where the switch has none",
        "Without ECN marks DCQCN never slows a sender, and PFC alone carries every incast. Where the switch "
        "has a RoCE profile, thresholds of ours would fight it.",
        "Arista AI Network Fabric Deployment Guide; Cisco Nexus 9000 NX-OS QoS Configuration Guide",
    ),
    Rule(
        "FAB-015",
        "error",
        "Each rail has an address for each pod interface",
        "A pod whose interface gets no address stays in ContainerCreating, and with it its gang.",
        "Mellanox/nvidia-k8s-ipam README.md",
    ),
    Rule(
        "FAB-016",
        "error",
        "Tenants on InfiniBand have partitions",
        "RDMA bypasses network policies. Only partition keys keep tenants apart, they are assigned to "
        "virtual functions through UFM, and a node holds at most 128 of them.",
        "Mellanox/ib-kubernetes README.md",
    ),
    Rule(
        "FAB-017",
        "error",
        "SHARP has an aggregation manager",
        "The aggregation manager runs on UFM. Without it NCCL finds no aggregation tree, and jobs that ask "
        "for CollNet start with errors.",
        "docs.nvidia.com, NVIDIA Scalable Hierarchical Aggregation and Reduction Protocol (SHARP) manual",
    ),
    Rule(
        "FAB-018",
        "error",
        "Spectrum-X is tuned by its own profile",
        "spectrumXOptimized excludes roceOptimized, needs Ethernet and one virtual function, and takes its "
        "values from a profile of the reference architecture that the operator doesn't carry.",
        "Mellanox/nic-configuration-operator README.md",
    ),
    Rule(
        "FAB-019",
        "error",
        "GPUs joined by NVLink across nodes get a ComputeDomain",
        "GB200 and GB300 racks need IMEX channels and ComputeDomains beside the fabric. With the fabric "
        "alone NCCL leaves NVLink out, without an error.",
        "kubernetes-sigs/dra-driver-nvidia-gpu#524",
    ),
    Rule(
        "FAB-020",
        "error",
        "A cluster has one SR-IOV operator",
        "Two config daemons set the number of virtual functions of one NIC in turns, and each change drains the node.",
        "k8snetworkplumbingwg/sriov-network-operator#1046",
    ),
    Rule(
        "FAB-021",
        "error",
        "Rails are no faster than their NICs",
        "The rate decides what an acceptance test demands; one that no NIC reaches fails for ever.",
        "docs.nvidia.com, supported network adapter cards",
    ),
    Rule(
        "FAB-022",
        "warning",
        "Tenants don't share an RDMA device",
        "A shared device has no limit by tenant and no counters of its own: one tenant's incast is everyone's.",
        "NVIDIA/k8s-launch-kit docs/user/profiles.md",
    ),
    Rule(
        "FAB-023",
        "error",
        "Shared rails have the same interface name on all nodes",
        "MacvlanNetwork and IPoIBNetwork name one host interface. On a node where it is called otherwise no "
        "pod starts.",
        "NVIDIA/k8s-launch-kit profiles/macvlan-rdma-shared",
    ),
    Rule(
        "FAB-024",
        "error",
        "Firmware archives lie where all nodes can read them",
        "The NIC operator's daemons mount one volume on all nodes; a class without ReadWriteMany leaves them pending.",
        "Mellanox/nic-configuration-operator README.md",
    ),
    Rule(
        "FAB-025",
        "error",
        "The distribution lets our Network Operator run",
        "OpenShift runs Multus and its own SR-IOV operator, and installs the Network Operator from its "
        "catalog. A chart beside them fights for the same nodes.",
        "NVIDIA/k8s-launch-kit docs/user/openshift.md",
    ),
    Rule(
        "FAB-026",
        "error",
        "RDMA uses an address of RoCEv2",
        "RoCEv1 has no IP header: no leaf routes it, marks it or maps its DSCP, so gangs hang at their first "
        "collective.",
        "NVIDIA MLNX_OFED documentation, RoCE: GID table; NVIDIA doRoCE script",
    ),
    Rule(
        "FAB-027",
        "warning",
        "Addresses of a fabric are private",
        "Pods have a route to the whole fabric. What has a public address of the same space elsewhere, such "
        "as a registry or a resolver, can't be reached from them.",
        "RFC 1918; RFC 6598",
    ),
)
