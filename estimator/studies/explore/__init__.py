"""Move assumptions and see the answer move: a page with sliders, and the same in the terminal."""
