# Scans.
