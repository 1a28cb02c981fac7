"""Whether ranges mean what they say: simulated worlds, with the truth known in each."""
