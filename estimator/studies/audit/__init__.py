"""Claims held against the posterior: what each set says of each claim without having seen it."""
