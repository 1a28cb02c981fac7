"""What can be asked and changed: options, priors and quantities, listed, shown and begun."""
