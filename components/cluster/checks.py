"""Rules that hold across releases and what the site gives."""

from __future__ import annotations

from collections.abc import Mapping

from aifactory.components.base import PlanContext
from aifactory.components.catalog.trains import Release
from aifactory.components.cluster.merge import value_at
from aifactory.components.cluster.providers import Answers
from aifactory.components.cluster.versions import line, narrowest, nearest_kubernetes
from aifactory.components.values import Json

DRIVER_ROOT = "/run/nvidia/driver"
"""Where the operator's chart puts a driver; the DRA driver's looks at / unless told. Source: their
values.yaml."""

BUNDLES_NFD = ("gpu-operator", "network-operator")
"""Capabilities whose chart brings node-feature-discovery unless told not to."""


def sound(ctx: PlanContext, answers: Answers, known: Mapping[str, Release], replicas: int) -> bool:
    """Evaluate every rule; False when an error refuses the plan."""
    values = {capability: chosen.values for capability, chosen in answers.chosen.items()}
    held = [
        _kubernetes(ctx, answers, known),
        _one_nfd(ctx, answers, values),
        _one_sriov_operator(ctx, values),
        _one_gpu_advertiser(ctx, answers, values),
        _one_gpu_mode(ctx, values),
        _one_driver_root(ctx, values),
        _one_certificate_maker(ctx, values),
    ]
    _replicas(ctx, answers, replicas)
    _stored_by_helm(ctx, answers)
    return all(held)


def _kubernetes(ctx: PlanContext, answers: Answers, known: Mapping[str, Release]) -> bool:
    """Components that are given count too: they were accepted because they are of the train's version."""
    version = ctx.place.cluster.version
    names = [name for name in (*answers.given, *answers.chosen) if name in known]
    found = narrowest((f"{known[name].chart} {known[name].version}", known[name].kubernetes) for name in names)
    old = bool(found.range.low) and line(version) < line(found.range.low)
    by = found.low_by if old else found.high_by
    nearest = nearest_kubernetes(found, version)
    held = ctx.check(
        "CLU-001",
        found.range.admits(version),
        lambda: (
            f"Kubernetes {version} is {'older' if old else 'newer'} than {by} supports: {nearest} or "
            f"{'newer' if old else 'older'}; all chosen components together run on {found.range}"
        ),
        ("cluster", "version"),
        f"{'upgrade the cluster' if old else 'run a cluster of an older version'}: {nearest} is the nearest "
        "that can be built",
        "site",
    )
    ctx.decide(
        "kubernetes",
        version,
        f"the site runs it; chosen components support {found.range}"
        + (f" ({found.low_by} sets the low end, {found.high_by} the high end)" if names else ""),
        facts=[known[name].ref for name in names],
        source=("cluster", "version"),
        document="site",
    )
    return held


def _one_nfd(ctx: PlanContext, answers: Answers, values: Mapping[str, Mapping[str, object]]) -> bool:
    ours = "node-feature-discovery" in answers.chosen
    bundled = [name for name in BUNDLES_NFD if value_at(values.get(name, {}), "nfd.enabled") is True]
    given = [name for name in BUNDLES_NFD if name in ctx.place.cluster.provides] if ours else []
    return ctx.check(
        "CLU-003",
        not bundled and not given,
        lambda: (
            f"{bundled[0]} would install its own node-feature-discovery beside the one of the cluster"
            if bundled
            else f"{given[0]} is given by the site and brings node-feature-discovery unless told not to, "
            "but the site doesn't name one, and we would install a second"
        ),
        () if bundled else ("cluster", "provides", *given[:1]),
        "leave nfd.enabled false"
        if bundled
        else "name the site's under cluster.provides.node-feature-discovery, with its version",
        "blueprint" if bundled else "site",
    )


def _one_sriov_operator(ctx: PlanContext, values: Mapping[str, Mapping[str, object]]) -> bool:
    given = "sriov-network-operator" in ctx.place.cluster.provides
    ours = value_at(values.get("network-operator", {}), "sriovNetworkOperator.enabled") is True
    return ctx.check(
        "CLU-004",
        not (given and ours),
        "the site gives sriov-network-operator, and network-operator would install its own build of it",
        ("cluster", "provides", "sriov-network-operator"),
        "remove the site's, or let the fabric use a mode without SR-IOV",
        "site",
    )


def _one_gpu_advertiser(ctx: PlanContext, answers: Answers, values: Mapping[str, Mapping[str, object]]) -> bool:
    plugin, dra = _hands_out_gpus(ctx, answers, values)
    return ctx.check(
        "CLU-005",
        not (plugin and dra),
        f"{plugin} and {dra} would both hand out whole GPUs",
        hint="choose one for all pools of the site: devicePlugin.enabled of gpu-operator, or "
        "resources.gpus.enabled of dra-driver-nvidia-gpu",
    )


def _hands_out_gpus(ctx: PlanContext, answers: Answers, values: Mapping[str, Mapping[str, object]]) -> tuple[str, str]:
    """Who advertises GPUs by device plugin and who by DRA; empty for nobody. What is given says so by
    features."""
    given = ctx.place.cluster.provides
    plugin = dra = ""
    if "gpu-operator" in answers.chosen:
        plugin = "gpu-operator" if value_at(values["gpu-operator"], "devicePlugin.enabled", True) else ""
    elif "gpu-operator" in given and "dra-only" not in given["gpu-operator"].features:
        plugin = "the given gpu-operator"
    if "dra-driver-nvidia-gpu" in answers.chosen:
        on = value_at(values["dra-driver-nvidia-gpu"], "resources.gpus.enabled", True)
        dra = "dra-driver-nvidia-gpu" if on else ""
    elif "dra-driver-nvidia-gpu" in given and "gpus" in given["dra-driver-nvidia-gpu"].features:
        dra = "the given dra-driver-nvidia-gpu"
    return plugin, dra


def _one_gpu_mode(ctx: PlanContext, values: Mapping[str, Mapping[str, object]]) -> bool:
    operator = values.get("gpu-operator", {})
    policy = value_at(operator, "clusterPolicy.deployCR", True) is True
    dra_cluster = value_at(operator, "gpuCluster.deployCR", False) is True
    return ctx.check(
        "CLU-006",
        not (policy and dra_cluster),
        "gpu-operator would make a ClusterPolicy and a GPUCluster",
        hint="set clusterPolicy.deployCR to false where gpuCluster.deployCR is true",
    )


def _one_driver_root(ctx: PlanContext, values: Mapping[str, Mapping[str, object]]) -> bool:
    """A driver of the hosts has its root at /, where the operator's own setting isn't used."""
    operator = values.get("gpu-operator", {})
    made = bool(operator) and value_at(operator, "driver.enabled", True) is True
    root = value_at(operator, "hostPaths.driverInstallDir", DRIVER_ROOT)
    dra = values.get("dra-driver-nvidia-gpu")
    looks = root if dra is None else value_at(dra, "nvidiaDriverRoot", "/")
    return ctx.check(
        "CLU-015",
        not made or (root != "/" and looks == root),
        f"gpu-operator puts the driver into {root}, and dra-driver-nvidia-gpu looks for it in {looks}"
        if looks != root
        else f"gpu-operator would put the driver into {root}",
        hint=f"set hostPaths.driverInstallDir of gpu-operator and nvidiaDriverRoot of dra-driver-nvidia-gpu "
        f"to {DRIVER_ROOT}",
    )


def _one_certificate_maker(ctx: PlanContext, values: Mapping[str, Mapping[str, object]]) -> bool:
    kueue = values.get("kueue", {})
    text = value_at(kueue, "managerConfig.controllerManagerConfigYaml")
    config = text.tree if isinstance(text, Json) and isinstance(text.tree, Mapping) else {}
    own = value_at(config, "internalCertManagement.enable", True) is True
    by_cert_manager = value_at(kueue, "enableCertManager", False) is True
    return ctx.check(
        "CLU-012",
        not kueue or own != by_cert_manager,
        f"enableCertManager is {str(by_cert_manager).lower()} and internalCertManagement.enable is {str(own).lower()}",
        hint="exactly one of them is on; managerConfig.controllerManagerConfigYaml must be a tree, not a "
        "text, so that both are seen",
    )


def _replicas(ctx: PlanContext, answers: Answers, replicas: int) -> None:
    """A site whose webhooks are all given has nothing to say here, and one with a single node nothing to gain."""
    ours = sorted(name for name, chosen in answers.chosen.items() if chosen.recipe.webhooks)
    ctx.check(
        "CLU-008",
        replicas > 1 or not ours or ctx.place.is_one_node,
        f"webhook_replicas is 1: while a node drains, {', '.join(ours)} refuse what they admit",
        ("webhook_replicas",),
        "set it to 2",
    )


def _stored_by_helm(ctx: PlanContext, answers: Answers) -> None:
    chosen = answers.chosen.get("gateway-api")
    version = chosen.release.app_version if chosen else ""
    ctx.check(
        "CLU-013",
        # Nobody can give definitions to a cluster that isn't there yet.
        chosen is None or ctx.place.venue_facts.makes_cluster,
        "the release of the Gateway API's definitions nearly fills the Secret that Helm keeps it in",
        hint=f"apply standard-install.yaml of Gateway API {version} with kubectl apply --server-side, then "
        "name it under cluster.provides.gateway-api of the site file",
    )
