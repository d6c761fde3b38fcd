"""The last hop: rows become Pulumi resources. The only room, beside policy packs, that imports Pulumi."""
