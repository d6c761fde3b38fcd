"""Admission of jobs by quota: tenants, their guarantees, and what they may borrow from each other."""
