"""The places: plans, rendered folders and Pulumi programs of every stack."""
