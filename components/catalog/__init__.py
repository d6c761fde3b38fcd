"""Facts with a source and a date: accelerators, instances, models, prices, law, release trains."""

from aifactory.components.catalog.keys import (
    AcceleratorKey,
    AwsInstanceKey,
    CatalogName,
    CountryKey,
    JurisdictionKey,
    ModelKey,
    RegionKey,
    TrainKey,
)
from aifactory.components.catalog.places import binds, jurisdictions_of
from aifactory.components.catalog.rows import Row, Unknown, UnknownFact, Value
from aifactory.components.catalog.tables import Catalog

__all__ = [
    "AcceleratorKey",
    "AwsInstanceKey",
    "Catalog",
    "CatalogName",
    "CountryKey",
    "JurisdictionKey",
    "ModelKey",
    "RegionKey",
    "Row",
    "TrainKey",
    "Unknown",
    "UnknownFact",
    "Value",
    "binds",
    "jurisdictions_of",
]
