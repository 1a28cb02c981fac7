"""From a model and its data to draws that can be trusted, and from those to other sets' draws."""
