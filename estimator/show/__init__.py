"""What is seen: figures, tables and progress."""
