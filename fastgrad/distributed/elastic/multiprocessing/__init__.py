"""fastgrad.distributed.elastic.multiprocessing: see `errors`."""
