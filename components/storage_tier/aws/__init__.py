"""Tiers at AWS: buckets of S3, file systems of FSx for Lustre, volumes of EBS."""
