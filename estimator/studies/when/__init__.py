"""In which month a quantity first falls below, or rises above, a number."""
