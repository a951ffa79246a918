"""Softmax and what normalises over a dimension."""
