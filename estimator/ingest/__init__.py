"""Public tables of others brought into the claims table, with every row under account.

`estimator.ingest.writing` has `ingest`, `write` and `commands`; it is not imported here, so that
the command line answers at once.
"""
