"""What a person writes about a tier that the base of a site at AWS makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import ImageText
from aifactory.components.given_aws_nodes import ZoneName
from aifactory.components.spec import Misfit, Spec, truth

GP3_IOPS, GP3_MIB_PER_S = 3_000, 125
"""What each volume of type gp3 has. Source: Amazon EC2 API, CreateVolume."""


class LustreSpec(Spec):
    """A file system of FSx for Lustre, of deployment type PERSISTENT_2 on SSD."""

    mbps_per_tib: Literal[125, 250, 500, 1000] = 500
    """Throughput that each TiB brings. Unit: MB per s. Default 500: 10 TiB then feed a node of 8 GPUs that trains on
    images. With EFA it can't be changed later."""

    efa: bool = True
    """Whether nodes may read it by EFA. Default true: a client by TCP gets no more than 100 Gbit/s, and it can't be
    switched on later. File systems with EFA come in larger steps, and nodes without EFA read them by TCP."""

    zone: ZoneName | None = None
    """Zone of the site that it lies in: that of the nodes that read it. Default: the one that the site rents nodes with
    accelerators in, else its first."""

    backup_days: int = Field(default=7, ge=0, le=90)
    """How long FSx keeps a backup of each day. Unit: days; 0 makes none. Default 7. Of a file system with paths that
    are filled from buckets AWS makes none: 0 must be written."""

    image: ImageText
    """Image with a POSIX shell, mirrored for the site: a Job makes the folders of volumes with it."""


class EbsSpec(Spec):
    """Volumes of EBS."""

    type: Literal["gp3", "io2"] = "gp3"
    """Type. gp3: for most. io2: for databases that wait for each write. Default gp3."""

    iops: int | None = Field(default=None, ge=100, le=256_000)
    """Operations of each volume. Unit: per s. Default: 3000 of gp3; needed of io2."""

    mib_per_s: int | None = Field(default=None, ge=125, le=2_000)
    """Throughput of each volume, of gp3. Unit: MiB per s. Default 125 of gp3; of io2 it follows from its operations."""

    @truth
    def _io2_has_its_operations(self) -> Iterator[Misfit]:
        if self.type == "io2" and self.iops is None:
            yield Misfit("io2 without iops", "write iops: AWS asks for them", ("iops",))
        if self.type == "io2" and self.mib_per_s is not None:
            yield Misfit("mib_per_s of io2", "delete it: it follows from iops", ("mib_per_s",))


class ColdSpec(Spec):
    """Where objects of buckets move when they are no longer read."""

    after_days: int = Field(default=0, ge=0, le=36_500)
    """Age at which they move. Unit: days. Default 0: as soon as S3 looks, once a day."""

    storage_class: Literal["GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"] = "GLACIER_IR"
    """Class of S3 that they move to. GLACIER_IR: read at once, and dear to read. GLACIER and DEEP_ARCHIVE: brought back
    by a person first, within hours. Default GLACIER_IR: what is mounted can be read. Each is charged for 90 days at
    least, DEEP_ARCHIVE for 180."""


class Reader(Spec):
    """Pods of the tenant that mount a bucket, beside those of parts that name it."""

    account: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    """Their ServiceAccount, in the tenant's namespace."""

    writes: bool = False
    """Whether they write and delete, too. Default false."""
