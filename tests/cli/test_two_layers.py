"""Verbs at a site whose cluster the base makes: base before platform, platform before base, and what lies between."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aifactory.cli import clearing
from aifactory.cli.work import prepare
from aifactory.stacks.live.copied import Copies, copies
from aifactory.stacks.render.images import images
from support.accounts import fill
from support.aws_sites import ACCOUNT, write_project
from support.copies import mirror_of
from support.held import thing
from support.live import MOMENT
from support.signed_in import signed_in
from support.verbs import Verbs

BASE, PLATFORM = "demo-sto-lab-base", "demo-sto-lab-platform"
CHART = "aws-load-balancer-controller/aws-load-balancer-controller"
CONTROLLER = "Release/aws-load-balancer-controller/aws-load-balancer-controller"
NAMESPACE = "Namespace/aws-load-balancer-controller"
VPC = "aws:ec2/vpc:Vpc/cluster"
ENDPOINT = "https://0123.gr7.eu-north-1.eks.amazonaws.com"
CLAIM = "PersistentVolumeClaim/team/data"


def answered(kind: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What AWS says of the rows that others read."""
    if kind == "aws:ec2/vpc:Vpc":
        return "vpc-0123456789abcdef0", inputs
    if kind == "aws:eks/cluster:Cluster":
        config = {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-0123456789abcdef0"}
        made = {"endpoint": ENDPOINT, "certificateAuthority": {"data": "Y2E="}, "vpcConfig": config}
        return inputs["name"], {**inputs, **made}
    if kind.startswith("aws:"):
        return name, {**inputs, "arn": f"arn:aws:x:::{name}", "latestVersion": 1, "keyId": name}
    return name, {}


class Layers(Verbs):
    """A project with a blueprint of a cluster alone at a site at AWS."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, monkeypatch, capsys)
        shutil.rmtree(self.root)
        self.blueprint = write_project(self.root)
        self.engine.answer = answered
        monkeypatch.setattr(clearing, "PATIENCE_S", 0)

    def run(self, verb: str, *options: str, kubeconfig: bool = False) -> tuple[int, str, str]:
        agreed = ["--yes"] if verb in ("up", "destroy") else []
        return super().run(verb, *agreed, *options, kubeconfig=kubeconfig)

    def state(self, stack: str) -> list[dict[str, Any]]:
        path = self.root / f"state/{stack}.json"
        found: list[dict[str, Any]] = json.loads(path.read_text())["deployment"]["resources"] if path.is_file() else []
        return found

    def protect(self, stack: str, name: str) -> None:
        """Protect a resource in the state, as a row that holds data is."""
        path = self.root / f"state/{stack}.json"
        exported = json.loads(path.read_text())
        (found,) = [one for one in exported["deployment"]["resources"] if one["urn"].endswith(name)]
        found["protect"] = True
        path.write_text(json.dumps(exported))

    def copies(self) -> Copies:
        """What the registry must hold for the platform."""
        stacks = prepare(self.blueprint).stacks
        platform = stacks[PLATFORM]
        return copies(images(platform), mirror_of(platform), stacks[BASE].cloud_rows)

    def engine_runs(self, verb: str) -> list[list[str]]:
        return [call for call in self.engine.calls if call[0] == verb]

    def team(self, **metadata: Any) -> None:
        """A Service of others with a load balancer, and a claim with its volume."""
        service = thing("v1", "Service", "door", "team", **metadata)
        status = {"loadBalancer": {"ingress": [{"hostname": "k8s-door.elb.eu-north-1.amazonaws.com"}]}}
        self.server.put({**service, "spec": {"type": "LoadBalancer"}, "status": status})
        self.server.put(thing("v1", "PersistentVolumeClaim", "data", "team"))
        self.volume("data", "Delete")

    def volume(self, claim: str, policy: str) -> None:
        spec = {
            "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": f"vol-{claim}"},
            "claimRef": {"namespace": "team", "name": claim},
            "persistentVolumeReclaimPolicy": policy,
        }
        self.server.put({**thing("v1", "PersistentVolume", f"pv-{claim}"), "spec": spec})


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Layers:
    return Layers(tmp_path, monkeypatch, capsys)


@pytest.fixture
def deployed(layers: Layers) -> Layers:
    code, _, err = layers.run("up")
    assert code == 0, err
    return layers


def test_a_preview_before_the_base_is_there_says_what_it_does_not_know(layers: Layers) -> None:
    code, out, err = layers.run("preview")
    assert code == 0, err
    assert f"{PLATFORM}: 4 values come from the base, which isn't deployed yet" in err
    assert f"{BASE} (a new stack): " in out
    assert layers.server.calls == [], "there is no cluster to ask"


def test_up_makes_the_base_and_the_platform_with_what_that_hands_over(deployed: Layers) -> None:
    (provider,) = [one for one in deployed.state(PLATFORM) if one["type"] == "pulumi:providers:kubernetes"]
    kubeconfig = json.loads(provider["inputs"]["kubeconfig"])
    assert kubeconfig["clusters"][0]["cluster"] == {"server": ENDPOINT, "certificate-authority-data": "Y2E="}
    (release,) = [one for one in deployed.state(PLATFORM) if one["urn"].endswith(f"Release::cluster/{CHART}")]
    assert release["inputs"]["values"]["vpcId"] == "vpc-0123456789abcdef0"
    assert deployed.server.calls, "the cluster was asked before the platform was begun"
    assert "${" not in json.dumps(deployed.state(PLATFORM))


def test_a_second_up_changes_nothing(deployed: Layers) -> None:
    stacks = deployed.data("up")["stacks"]
    assert [(name, set(one["changes"])) for name, one in stacks.items()] == [(BASE, {"same"}), (PLATFORM, {"same"})]


def test_a_preview_of_what_is_there_knows_everything(deployed: Layers) -> None:
    code, _, err = deployed.run("preview")
    assert code == 0
    assert "come from the base" not in err


def test_the_outputs_of_both_layers_are_shown(deployed: Layers) -> None:
    stacks = deployed.data("outputs")["stacks"]
    assert list(stacks) == [BASE, PLATFORM]
    assert stacks[BASE]["outputs"]["handoff"]["values"][f"{VPC}#id"] == "vpc-0123456789abcdef0"


def test_a_platform_is_not_begun_after_a_base_that_failed(layers: Layers) -> None:
    layers.engine.fails = {"NodeGroup::cluster/system": "NodeCreationFailure: no capacity"}
    code, _, err = layers.run("up")
    assert code == 1
    assert "NodeCreationFailure: no capacity" in err
    assert f"not begun: {PLATFORM}" in err
    assert layers.state(PLATFORM) == []
    layers.engine.fails = {}
    assert layers.run("up")[0] == 0


def test_a_cluster_that_cannot_be_reached_stops_up_between_the_layers(layers: Layers) -> None:
    layers.server.down = "it doesn't answer: timed out"
    code, _, err = layers.run("up")
    assert code == 3
    assert "the base of sto-lab is there, and its cluster can't be reached: it doesn't answer: timed out" in err
    assert "run from a network that the site lists" in err
    assert layers.state(BASE)
    assert layers.state(PLATFORM) == []


def test_a_base_is_mended_though_its_cluster_does_not_answer(deployed: Layers) -> None:
    deployed.server.down = "it doesn't answer: timed out"
    before = len(deployed.engine_runs("up"))
    code, _, err = deployed.run("up")
    assert code == 3
    assert "the base of sto-lab is there, and its cluster can't be reached" in err
    assert len(deployed.engine_runs("up")) == before + 1, "the base was asked, the platform was not"


def test_a_placeholder_in_the_state_of_a_base_is_not_taken_for_a_value(deployed: Layers) -> None:
    path = deployed.root / f"state/{BASE}.json"
    path.write_text(path.read_text().replace(f'"{ENDPOINT}"', '"${aws:eks/cluster:Cluster/cluster#endpoint}"'))
    _, _, err = deployed.run("preview")
    assert f"{PLATFORM}: 1 value come from the base" in err


def test_destroy_removes_the_platform_first_and_its_load_balancer_controller_last(deployed: Layers) -> None:
    stacks = deployed.data("destroy")["stacks"]
    assert [(name, one["result"]) for name, one in stacks.items()] == [(PLATFORM, "succeeded"), (BASE, "succeeded")]
    assert deployed.state(PLATFORM) == deployed.state(BASE) == []
    first, second, base = deployed.engine_runs("destroy")
    going = [word.rpartition("::cluster/")[2] for flag, word in pairwise(first) if flag == "--target"]
    assert "lws-system/lws" in going
    assert not [name for name in going if name.startswith("aws-load-balancer-controller")], "it is at work until then"
    assert "--exclude-protected" not in first, "the engine doesn't take both"
    assert "--target" not in second + base


LATE = "aws logs delete-log-group --region eu-north-1 --log-group-name /aws/eks/demo-sto-lab/cluster"


def test_a_log_group_that_eks_makes_anew_after_all_is_gone_is_told_with_its_removal(deployed: Layers) -> None:
    code, out, err = deployed.run("destroy", "--format", "json")
    assert code == 0
    stacks = json.loads(out)["stacks"]
    (back,) = stacks[BASE]["returns"]
    assert back["row"] == "aws:eks/cluster:Cluster/cluster"
    assert back["commands"][-1] == LATE
    assert LATE in err
    assert "returns" not in stacks[PLATFORM]
    assert "returns" not in deployed.data("destroy")["stacks"][BASE], "of what was gone before nothing comes"


def test_a_log_group_that_is_in_the_way_of_up_is_told_with_its_removal(layers: Layers) -> None:
    says = "CreateLogGroup: ResourceAlreadyExistsException: The specified log group already exists"
    layers.engine.fails = {"LogGroup::cluster/control-plane": says}
    code, _, err = layers.run("up")
    assert code == 1
    assert f"    {LATE}" in err
    layers.engine.fails = {"LogGroup::cluster/control-plane": "AccessDeniedException"}
    assert LATE not in layers.run("up")[2]


def second(layers: Layers, name: str, site: str) -> None:
    """Another blueprint of the project, at a site of the same file but for its name."""
    blueprint = json.loads(layers.blueprint.read_text())
    blueprint |= {"name": name, "placement": {"core": {"sites": [site]}}}
    layers.blueprint = layers.blueprint.with_name(f"{name}.yaml")
    layers.blueprint.write_text(json.dumps(blueprint))
    data = json.loads((layers.root / "sites/sto-lab.yaml").read_text())
    (layers.root / f"sites/{site}.yaml").write_text(json.dumps({**data, "site": site}))


def test_a_second_factory_makes_no_second_network_of_the_same_addresses_at_a_site(deployed: Layers) -> None:
    second(deployed, "other", "sto-lab")
    code, _, err = deployed.run("up")
    assert code == 1
    assert "factory demo has a base at sto-lab: this one would make a second network of the same addresses" in err
    assert "give other a site file of its own, with another name and cidr" in err
    assert deployed.state("other-sto-lab-base") == []
    code, _, err = deployed.run("preview")
    assert code == 0
    assert "factory demo has a base at sto-lab" in err


def test_a_second_factory_at_a_site_of_its_own_is_made_and_so_is_one_whose_site_only_ends_alike(
    deployed: Layers,
) -> None:
    second(deployed, "other", "lab")
    code, _, err = deployed.run("up")
    assert code == 0, err
    assert deployed.state("other-lab-base")
    assert deployed.run("up")[0] == 0, "what is there already is its own"


def test_services_with_load_balancers_go_before_their_controller(deployed: Layers) -> None:
    deployed.team()
    code, _, err = deployed.run("destroy", "--remove-protected", CLAIM)
    assert code == 1, "the volume of a claim stays until its driver has removed it"
    assert "Service/team/door" not in err
    assert {kept["kind"] for kept in deployed.server.objects.values()} == {"PersistentVolume"}
    assert "! PersistentVolume/pv-data: its volume vol-data is still there, and nobody removes it" in err
    assert f"not begun: {BASE}" in err
    deployed.server.remove("PersistentVolume", "pv-data")
    assert deployed.run("destroy")[0] == 0
    assert deployed.state(BASE) == []


def test_claims_of_others_are_named_before_anything_is_removed(deployed: Layers) -> None:
    deployed.team()
    code, _, err = deployed.run("destroy")
    assert code == 1
    assert f"{CLAIM} is not of this factory, and its data would go with the cluster of sto-lab" in err
    assert f"--remove-protected {CLAIM}" in err
    assert deployed.engine_runs("destroy") == []
    assert len(deployed.server.objects) == 3


def test_volumes_that_their_class_keeps_are_told_and_stay(deployed: Layers) -> None:
    deployed.volume("archive", "Retain")
    code, _, err = deployed.run("destroy")
    assert code == 0
    assert (
        "  = volume vol-archive stays in the account: the class of PersistentVolumeClaim/team/archive keeps it" in err
    )
    assert [kept["metadata"]["name"] for kept in deployed.server.objects.values()] == ["pv-archive"]


def test_a_load_balancer_that_nobody_removes_keeps_its_controller_and_the_base(deployed: Layers) -> None:
    deployed.server.put(
        {
            **thing("v1", "Service", "door", "team", finalizers=["service.k8s.aws/resources"]),
            "spec": {"type": "LoadBalancer"},
        }
    )
    code, out, err = deployed.run("destroy", "--format", "json")
    assert code == 1
    stacks = json.loads(out)["stacks"]
    assert stacks[PLATFORM]["result"] == "failed"
    (stuck,) = stacks[PLATFORM]["stuck"]
    assert stuck["row"] == "Service/team/door"
    assert f"being deleted since {MOMENT}" in stuck["says"]
    assert "service.k8s.aws/resources" in stuck["says"]
    assert f"not begun: {BASE}" in err
    assert CONTROLLER in {row["row"] for row in stacks[PLATFORM]["remains"]}
    deployed.server.remove("Service", "door")
    assert deployed.run("destroy")[0] == 0
    assert deployed.state(PLATFORM) == deployed.state(BASE) == []


def test_a_cluster_that_cannot_be_asked_loses_nothing(deployed: Layers) -> None:
    deployed.server.down = "it doesn't answer: timed out"
    code, _, err = deployed.run("destroy")
    assert code == 3
    assert "what the cluster of sto-lab has outside of it is not known: it doesn't answer: timed out" in err
    assert deployed.engine_runs("destroy") == []


def test_a_base_stays_with_a_platform_of_which_a_protected_row_stays(deployed: Layers) -> None:
    deployed.protect(PLATFORM, f"::cluster/{NAMESPACE.partition('/')[2]}")
    code, out, err = deployed.run("destroy", "--format", "json")
    assert code == 0, err
    stacks = json.loads(out)["stacks"]
    assert (stacks[BASE]["result"], stacks[BASE]["kept_by"]) == ("kept", [NAMESPACE])
    assert len(deployed.state(BASE)) > 60
    assert f"{BASE}: kept, with all its " in err
    assert f"  = {NAMESPACE}\n" in err
    assert deployed.run("destroy", "--remove-protected", NAMESPACE)[0] == 0
    assert deployed.state(PLATFORM) == deployed.state(BASE) == []


def test_a_protected_row_of_a_base_stays_and_how_it_goes_is_told(deployed: Layers) -> None:
    deployed.protect(BASE, "Vpc::cluster/cluster")
    code, out, err = deployed.run("destroy", "--format", "json")
    assert code == 0, err
    stack = json.loads(out)["stacks"][BASE]
    (stays,) = stack["stays"]
    assert (stays["row"], stays["id"]) == (VPC, "vpc-0123456789abcdef0")
    assert stays["commands"][-1] == f"aifactory destroy BLUEPRINT --site sto-lab --remove-protected {VPC}"
    assert "nothing of it remains" not in err.partition(BASE)[2].partition(BASE)[2]
    assert f"  = {VPC} of cluster, vpc-0123456789abcdef0: is protected, since it holds data\n" in err


def test_what_aws_refuses_to_remove_is_told_with_what_shows_why(deployed: Layers) -> None:
    deployed.engine.fails = {"Vpc::cluster/cluster": "DependencyViolation: vpc-0123456789abcdef0 has dependencies"}
    code, _, err = deployed.run("destroy")
    assert code == 1
    assert "DependencyViolation" in err
    assert "vpc-0123456789abcdef0: something that no row made is in it" in err
    assert (
        "aws ec2 describe-network-interfaces --region eu-north-1 --filters Name=vpc-id,Values=vpc-0123456789abcdef0"
        in err
    )
    deployed.engine.fails = {}
    assert deployed.run("destroy")[0] == 0
    assert deployed.state(BASE) == []


def test_a_base_that_was_half_made_is_removed_without_a_platform(layers: Layers) -> None:
    layers.engine.fails = {"NodeGroup::cluster/system": "no capacity"}
    assert layers.run("up")[0] == 1
    layers.engine.fails = {}
    layers.server.down = "there is no cluster"
    code, _, err = layers.run("destroy")
    assert code == 0, err
    assert layers.state(BASE) == []
    assert f"{PLATFORM}: nothing is deployed" in err


def test_up_is_refused_before_the_base_when_its_cluster_would_not_let_the_caller_in(layers: Layers) -> None:
    with signed_in(f"arn:aws:iam::{ACCOUNT}:role/developer") as secrets:
        code, out, err = layers.run("up")
    assert code == 1
    assert f"arn:aws:iam::{ACCOUNT}:role/developer is none of aws.admins" in err
    assert "sites/sto-lab.yaml:" in err, "the line to change is shown"
    assert layers.state(BASE) == []
    assert not any(value in out + err for value in secrets)


def test_up_is_refused_with_credentials_of_another_account(layers: Layers) -> None:
    with signed_in("arn:aws:iam::444455556666:role/platform"):
        code, _, err = layers.run("up")
    assert code == 1
    assert f"these credentials are of account 444455556666, and sto-lab is in {ACCOUNT}" in err
    assert layers.state(BASE) == []


def test_up_goes_on_for_an_administrator_of_the_site(layers: Layers) -> None:
    with signed_in(f"arn:aws:iam::{ACCOUNT}:role/platform"):
        fill(layers.copies())
        code, _, err = layers.run("up")
    assert code == 0, err
    assert "not asked" not in err


def test_up_stops_between_the_layers_until_the_images_are_copied(layers: Layers) -> None:
    with signed_in(f"arn:aws:iam::{ACCOUNT}:role/platform"):
        wanted = layers.copies()
        first = next(name for name, tags in wanted.items() if tags)
        fill({**wanted, first: ("another",)})
        code, _, err = layers.run("up")
        assert code == 3
        assert "the base of sto-lab is there, and its platform would not start: copies of images: 1 of " in err
        assert f"nodes pull: {first}:{wanted[first][0]}" in err
        assert f"run copy-images.sh of the folder that aifactory generate writes for {PLATFORM}, then up again" in err
        assert layers.state(BASE)
        assert layers.state(PLATFORM) == []


def test_up_says_that_nobody_was_asked_for_the_copies(deployed: Layers) -> None:
    code, _, err = deployed.run("up")
    assert code == 0
    assert "sto-lab: not asked whether copies of its images are there, there are no credentials of AWS here" in err


def test_up_says_that_nobody_was_asked_who_the_caller_is(deployed: Layers) -> None:
    code, _, err = deployed.run("up")
    assert code == 0
    assert "sto-lab: not asked whether you are one of aws.admins, there are no credentials of AWS here" in err
