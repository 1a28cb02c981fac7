"""Several assumption sets: line them up, pool them, ask what drives the answer."""
