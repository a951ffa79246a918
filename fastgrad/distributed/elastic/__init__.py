"""fastgrad.distributed.elastic: what a program says to torchrun."""
