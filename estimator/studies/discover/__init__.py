"""In which region of the assumptions a headline holds: scenario discovery over a sweep."""
