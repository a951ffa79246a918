"""The ratios as a picture: a row of bars for each case, by question.  Needs matplotlib."""

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from .harness import BASE  # noqa: E402


def draw(path, results):
    """Draw how many times fastgrad is better than each peer, on a logarithmic axis, and return the path."""
    shown = [r for r in results if len(r.ratios) > 1]
    peers = list(dict.fromkeys(name for r in shown for name in r.ratios if name != BASE))
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.22 * max(len(shown), 1)), layout="constrained")
    for name in peers:
        places = [(row, r.ratios[name]) for row, r in enumerate(shown) if r.ratios.get(name, 0) > 0]
        axes.scatter([x for _, x in places], [row for row, _ in places], label=name, s=14)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set(xscale="log", yticks=range(len(shown)), xlabel="times fastgrad is better", title="fastgrad and its peers")
    axes.set_yticklabels([f"{r.question}: {r.case}" for r in shown], fontsize=6)
    axes.invert_yaxis()
    if peers:
        axes.legend(loc="lower right", fontsize=7)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return path
