"""Benchmarks, one file a question.  `python -m benchmarks` does the same work on fastgrad and on whatever peers are installed.

They measure and never judge: no assertion on time.
"""
