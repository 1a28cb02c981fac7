"""What is kept on disk: results, tables, and the sets of several runs as one collection."""
