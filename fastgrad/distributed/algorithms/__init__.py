"""fastgrad.distributed.algorithms: what is built on collectives."""
