"""Anybody's dated estimates beside each other, scored against what came later."""
