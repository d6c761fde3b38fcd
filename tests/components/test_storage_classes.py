"""Which class a volume gets: by name, by tier, or the first that serves it."""

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.offers import StorageOffer
from aifactory.components.storage_classes import Classes, classes_of
from support.planning import place

RWO, RWX = "ReadWriteOnce", "ReadWriteMany"


def found(*offers: StorageOffer) -> Classes:
    """Classes of a site that has `shared` as its default, with these offers."""
    site_plan = SitePlan(place(), Catalog.shipped(), "demo", {})
    site_plan.offers.extend(offers)
    return classes_of(PlanContext(site_plan, "part", ()))


def test_without_tiers_the_default_of_the_site_goes_first() -> None:
    classes = found(StorageOffer("fast", (RWX,), "DE"))
    assert classes.serving((RWX,)) == ["shared", "fast"]
    assert (classes.named("fast"), classes.named("nowhere")) == ("fast", "")


def test_tiers_go_before_other_classes_and_the_default_tier_before_other_tiers() -> None:
    classes = found(
        StorageOffer("fast", (RWX,), "DE", part="work", tier="parallel", failure_domain="node"),
        StorageOffer("best", (RWX,), "DE", part="home", tier="parallel", failure_domain="node", default=True),
    )
    assert classes.serving((RWX,)) == ["best", "fast", "shared"]
    assert (classes.named("work"), classes.named("fast"), classes.named("shared")) == ("fast", "fast", "shared")
    assert classes.known == ["home", "work", "best", "fast", "shared"]


def test_volumes_that_die_with_a_node_are_never_chosen_and_may_be_named() -> None:
    classes = found(StorageOffer("local", (RWO, RWX), "DE", part="scratch", tier="local-cache", failure_domain="none"))
    assert classes.serving((RWO, RWX)) == ["shared"]
    assert classes.named("scratch") == "local"


def test_a_tier_of_buckets_serves_no_volume() -> None:
    classes = found(StorageOffer("objects", (), "DE", part="cold", tier="object", failure_domain="node"))
    assert classes.serving((RWO, RWX)) == ["shared"]
