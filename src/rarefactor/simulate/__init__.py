"""Whole synthetic studies with known truth: patients, records, scans and slides; all of it says that it is synthetic."""
