"""What the shipped assumption sets say: ranges that a change of code must not move unnoticed.

After a change that shall move them: ``make estimate``, then ``python -m tests.golden``.
"""
