"""A sweep: many assumption sets, a few of them fitted, the others reweighted or fitted."""
