"""What the DataLoader is made of: collation, fetching, workers.  Programs reach in here for `collate` alone."""

from . import collate, fetch, worker
