"""What would have to be true: where a probability crosses a level as an assumption moves."""
