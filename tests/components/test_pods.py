"""The pod contract: what a pod carries to use GPUs and rails."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aifactory.components import pods
from aifactory.components.offers import FabricOffer, PoolOffer, RailOffer, Taint
from aifactory.components.pods import Program, Volume
from aifactory.components.values import SecretRef, plain
from support.offered import GPU_TAINT, fabric, pool
from support.schemas import Schemas

PROGRAM = Program(
    name="main",
    image="registry.example.com/a/b:1",
    command=("run",),
    args=("--fast",),
    environment=(("A", "1"),),
    from_pod=(("POD", "metadata.name"),),
    secrets=(("TOKEN", SecretRef("hub", "token")),),
)


def spec(
    pool_offer: PoolOffer, fabric_offer: FabricOffer | None = None, gpus: int = 8, **fields: Any
) -> dict[str, Any]:
    """The pod spec of a contract, with references resolved."""
    contract = pods.contract(pool_offer, fabric_offer, gpus, **fields)
    made = pods.pod_spec(contract, PROGRAM, service_account="runner", grace_s=30, claim_template="claims")
    found = plain(made, lambda ref: ref)
    assert isinstance(found, dict)
    return found


def container(*args: Any, **fields: Any) -> dict[str, Any]:
    """The only container of `spec`."""
    (found,) = spec(*args, **fields)["containers"]
    assert isinstance(found, dict)
    return found


def test_a_whole_node_leaves_four_cpus_and_sixteen_gibibytes_to_its_daemons() -> None:
    requests = container(pool(), fabric())["resources"]["requests"]
    assert requests["cpu"] == "182"
    assert requests["memory"] == "2016Gi"


@pytest.mark.parametrize(("gpus", "cpus"), [(1, 22), (2, 44), (3, 68), (8, 182)])
def test_a_pod_owns_whole_cores(gpus: int, cpus: int) -> None:
    assert pods.node_share(pool(), gpus).cpus == cpus


def test_a_node_smaller_than_what_its_daemons_need_has_nothing_for_pods() -> None:
    share = pods.allocatable(pool(cpus_per_node=2, memory_gib_per_node=8))
    assert (share.cpus, share.memory_mib) == (0, 0)


@given(st.integers(1, 1024), st.integers(1, 65_536), st.integers(1, 72), st.lists(st.integers(1, 72), max_size=8))
def test_pods_that_fill_a_node_by_gpus_fit_its_cpus_and_memory(
    cpus: int, gib: int, per_node: int, sizes: list[int]
) -> None:
    offer = pool(cpus_per_node=cpus, memory_gib_per_node=gib, gpus_per_node=per_node)
    taken = []
    for size in sizes:
        if sum(taken) + size <= per_node:
            taken.append(size)
    shares = [pods.node_share(offer, gpus) for gpus in taken]
    whole = pods.allocatable(offer)
    assert sum(share.cpus for share in shares) <= whole.cpus <= cpus
    assert sum(share.memory_mib for share in shares) <= whole.memory_mib <= gib * 1024


def test_limits_equal_requests_so_that_the_pod_is_evicted_last() -> None:
    resources = container(pool(), fabric())["resources"]
    assert resources["limits"] == resources["requests"]


def test_a_pod_takes_its_gpus_and_one_device_of_each_rail() -> None:
    requests = container(pool(), fabric(rails=2))["resources"]["requests"]
    devices = {name: number for name, number in requests.items() if name.startswith("nvidia.com/")}
    assert devices == {"nvidia.com/gpu": "8", "nvidia.com/rail_0": "1", "nvidia.com/rail_1": "1"}


def test_rails_that_share_a_resource_add_up_and_uncounted_ones_ask_for_nothing() -> None:
    rails = (
        RailOffer(0, "ns/a", "rdma/shared"),
        RailOffer(1, "ns/b", "rdma/shared"),
        RailOffer(2, "ns/c", ""),
    )
    shared = replace(fabric(), rails=rails)
    contract = pods.contract(pool(), shared, 8)
    assert dict(contract.requests)["rdma/shared"] == "2"
    assert pods.pod_annotations(contract) == {"k8s.v1.cni.cncf.io/networks": "ns/a,ns/b,ns/c"}


def test_without_a_fabric_there_are_no_networks_and_no_settings() -> None:
    contract = pods.contract(pool(fabric=""), None, 1)
    assert pods.pod_annotations(contract) == {}
    assert "envFrom" not in container(pool(fabric=""), None, 1)


def test_the_fabric_brings_its_settings_as_one_config_map() -> None:
    assert container(pool(), fabric())["envFrom"] == [{"configMapRef": {"name": "fabric-nccl"}}]


@pytest.mark.parametrize(
    ("gpus", "memory_gib", "shm"), [(8, 2_032, "64Gi"), (1, 2_032, "8Gi"), (8, 128, "28Gi"), (1, 24, "1Gi")]
)
def test_shared_memory_is_eight_gibibytes_a_gpu_and_at_most_a_quarter(gpus: int, memory_gib: int, shm: str) -> None:
    volumes = spec(pool(memory_gib_per_node=memory_gib), None, gpus)["volumes"]
    assert volumes[0] == {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": shm}}


def test_shared_memory_may_be_said() -> None:
    assert spec(pool(), None, 8, shm_gib=200)["volumes"][0]["emptyDir"]["sizeLimit"] == "200Gi"


def test_huge_pages_come_out_of_the_pods_memory() -> None:
    found = spec(pool(), None, 8, hugepages_2mi_gib=16)
    requests = found["containers"][0]["resources"]["requests"]
    assert (requests["memory"], requests["hugepages-2Mi"]) == ("2000Gi", "16Gi")
    assert {"name": "hugepages", "emptyDir": {"medium": "HugePages-2Mi"}} in found["volumes"]
    assert {"name": "hugepages", "mountPath": "/dev/hugepages"} in found["containers"][0]["volumeMounts"]


def test_a_pod_runs_as_nobody_special_and_keeps_no_capability() -> None:
    found = spec(pool(), fabric())
    assert found["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert found["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert found["automountServiceAccountToken"] is False


def test_a_fabric_that_needs_locked_memory_makes_the_pod_root_with_that_capability_alone() -> None:
    found = spec(pool(), fabric(ipc_lock=True))
    capabilities = found["containers"][0]["securityContext"]["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["IPC_LOCK"]}
    assert found["securityContext"]["runAsUser"] == 0
    assert found["securityContext"]["runAsNonRoot"] is False
    assert "fsGroup" not in found["securityContext"]


def test_a_user_that_is_said_is_taken() -> None:
    assert spec(pool(), fabric(ipc_lock=True), user_id=7)["securityContext"]["runAsUser"] == 7


def test_a_pod_tolerates_the_taints_of_its_pool() -> None:
    lone = Taint("maintenance", "", "NoExecute")
    assert spec(pool(taints=(GPU_TAINT, lone)))["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"},
        {"key": "maintenance", "operator": "Exists", "effect": "NoExecute"},
    ]


@pytest.mark.parametrize(("architecture", "selected"), [("amd64", None), ("arm64", "arm64")])
def test_grace_nodes_are_selected_by_architecture_too(architecture: str, selected: str | None) -> None:
    selector = spec(pool(architecture=architecture))["nodeSelector"]
    assert selector["aifactory.io/pool"] == "train"
    assert selector.get("kubernetes.io/arch") == selected


def test_gpus_of_dra_are_claimed_and_not_requested() -> None:
    offer = pool(device_claim="gpu.nvidia.com")
    found = spec(offer, None, 4)
    resources = found["containers"][0]["resources"]
    assert "nvidia.com/gpu" not in resources["requests"]
    assert resources["claims"] == [{"name": "gpus"}]
    assert found["resourceClaims"] == [{"name": "gpus", "resourceClaimTemplateName": "claims"}]
    exactly = {"deviceClassName": "gpu.nvidia.com", "allocationMode": "ExactCount", "count": 4}
    assert pods.claim_spec(pods.contract(offer, None, 4)) == {
        "spec": {"devices": {"requests": [{"name": "gpus", "exactly": exactly}]}}
    }


def test_a_program_says_only_what_it_has() -> None:
    bare = Program("main", "registry.example.com/a/b:1", (), (), (), (), ())
    made = pods.pod_spec(pods.contract(pool(), None, 1), bare, service_account="runner", grace_s=30)
    (found,) = made["containers"]  # type: ignore[misc]  # a tree's values are objects
    assert not {"command", "args"} & set(found)
    assert found["env"] == []


def test_variables_come_from_text_pod_and_secret() -> None:
    assert container(pool())["env"] == [
        {"name": "A", "value": "1"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
    ]


def test_a_volume_is_mounted_where_it_was_asked() -> None:
    contract = pods.contract(pool(), None, 1)
    volume = Volume("data", "claim", "/data")
    made: Any = pods.pod_spec(contract, PROGRAM, service_account="runner", grace_s=30, volumes=(volume,))
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "claim"}} in made["volumes"]
    assert {"name": "data", "mountPath": "/data"} in made["containers"][0]["volumeMounts"]


@pytest.mark.schema
@pytest.mark.parametrize(
    "made",
    [
        spec(pool(), fabric()),
        spec(pool(), fabric(ipc_lock=True), hugepages_2mi_gib=8),
        spec(pool(device_claim="gpu.nvidia.com", architecture="arm64"), None, 2),
    ],
)
def test_the_pod_is_one_that_an_api_server_takes(schemas: Schemas, made: dict[str, Any]) -> None:
    metadata = {"name": "a", "namespace": "b"}
    assert schemas.problems({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made}) == []
