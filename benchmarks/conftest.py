"""Benchmarks, one file a question.  `python -m pytest benchmarks` runs them on fastgrad; `benchmarks/peers.py` on its peers.

They measure and never judge: no assertion on time.
"""
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
