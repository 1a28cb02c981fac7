"""What is reported, worked out from draws: derived series, scenarios, answers and their scores."""
