# Sorting along a dimension.
