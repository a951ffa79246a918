"""Scans: cumulative sums and their like."""
