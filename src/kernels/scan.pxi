# Scans along a dimension.
