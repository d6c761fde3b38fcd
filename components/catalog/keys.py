"""Fields of blueprints and sites that name a row of the catalog.

`accelerator: AcceleratorKey` accepts a key or an alias and holds the key. The catalog is taken from the
validation context, `{"catalog": Catalog}`, else it is the shipped one. JSON Schema has the names as an enum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct

from aifactory.components.catalog.tables import Catalog

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema, core_schema


class CatalogName(Struct, frozen=True):
    """Marks a text field as the name of a row: `Annotated[str, CatalogName("weights", "model")]`.

    An unknown name is a pydantic error of type `catalog_name`, whose `ctx` has `name`, `noun` and `hint`.
    """

    table: str
    noun: str

    def check(self, name: str, info: core_schema.ValidationInfo[Any]) -> str:
        """The canonical key of a name."""
        from pydantic_core import PydanticCustomError  # noqa: PLC0415 - tables are also read without pydantic

        given = info.context.get("catalog") if isinstance(info.context, dict) else None
        catalog = given if isinstance(given, Catalog) else Catalog.shipped()
        row = catalog.find(self.table, name)
        if row is None:
            # `name` comes last: pydantic fills the text in this order, and a name may itself hold {hint}
            context = {"noun": self.noun, "hint": catalog.hint(self.table, name), "name": name}
            raise PydanticCustomError("catalog_name", '"{name}" is not a known {noun}', context)
        return row.key

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text that is then looked up."""
        from pydantic_core import core_schema  # noqa: PLC0415 - tables are also read without pydantic

        return core_schema.with_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The names that we ship; a private catalog may know more."""
        return {**handler(schema), "enum": list(Catalog.shipped().names(self.table))}


AcceleratorKey = Annotated[str, CatalogName("accelerators", "accelerator")]
"""`h200` or `nvidia-h200-sxm`; holds the latter."""

ModelKey = Annotated[str, CatalogName("weights", "model")]
"""`llama-3.3-70b`: published weights. Their row names the geometry that decides memory and speed."""

AwsInstanceKey = Annotated[str, CatalogName("aws-instances", "AWS instance type")]
"""`p5en.48xlarge`."""

RegionKey = Annotated[str, CatalogName("regions", "region")]
"""`aws:eu-central-1`: provider and region, because the same name is in two countries at two providers."""

JurisdictionKey = Annotated[str, CatalogName("jurisdictions", "jurisdiction")]
"""`eu`, `de`, `us`."""

CountryKey = Annotated[str, CatalogName("countries", "country")]
"""ISO 3166-1 alpha-2: `DE`."""

TrainKey = Annotated[str, CatalogName("trains", "release train")]
"""A set of chart versions that fit together: `2026.11`."""
