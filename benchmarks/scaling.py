"""How does a training step grow with width, depth and batch, and what do threads add to it?"""

from .harness import Case
from .libraries import use_threads
from .networks import Network, on_every_peer

WIDTHS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)
DEPTHS = (1, 2, 4, 8, 16, 32)
BATCHES = (1, 4, 16, 64, 256, 1024)


def by_threads(network, count):
    """fastgrad at one thread under its own name, and at `count` beside it."""
    def at(threads):
        def make():
            step = on_every_peer(["fastgrad"], network)["fastgrad"]()

            def work():
                use_threads(["fastgrad"], threads)
                step()
            return work
        return make
    return {"fastgrad": at(1), f"{count} threads": at(count)}


def cases(libraries):
    for width in WIDTHS:
        yield Case(f"10-{width}-{width}-10, batch 128", on_every_peer(libraries, Network((10, width, width, 10), 128)))
    for depth in DEPTHS:
        yield Case(f"{depth} layers of 64, batch 32", on_every_peer(libraries, Network((64,) * (depth + 1), 32)))
    for batch in BATCHES:
        yield Case(f"64-128-10, batch {batch}", on_every_peer(libraries, Network((64, 128, 10), batch)))


def thread_cases(count):
    """Ratios: the time at so many threads over the time at one.  Above 1.05 would be a loss."""
    for width in WIDTHS:
        yield Case(f"10-{width}-{width}-10, batch 128", by_threads(Network((10, width, width, 10), 128), count))
