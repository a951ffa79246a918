"""The same work on fastgrad and on its peers, in one run: `python benchmarks/peers.py [--libs fastgrad,torch] [--threads 1]`.

Rounds alternate between the libraries, so that a drift of the machine's speed hits all alike.  Printed: the best round's
microseconds a step, and the ratio to fastgrad (the median over rounds).
"""
import argparse
import gc
import importlib
import os
import statistics
import time

SIZES = {"xor": ((2, 16, 1), 4, "Sigmoid", "MSELoss"), "lesson network": ((5, 6, 7, 7, 6, 5), 32, "Sigmoid", "MSELoss"),
         "digits": ((64, 32, 10), 32, "ReLU", "CrossEntropyLoss"),
         "mnist": ((784, 512, 256, 128, 64, 10), 64, "ReLU", "CrossEntropyLoss")}


def addition(lib):
    x, y = lib.tensor([1.0], requires_grad=True), lib.tensor([2.0])
    return lambda: x + y, 1


def chain(lib):
    x, y = lib.tensor([1.0], requires_grad=True), lib.tensor([2.0])

    def run():
        z = x
        for _ in range(1000):
            z = z + y
        z.backward()
    return run, 1000


def lesson(lib):
    w = lib.Tensor([1.0])
    w.requires_grad = True

    def run():
        for x, y in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)):
            loss = (x * w - y) ** 2
            loss.backward()
            w.data = w.data - 0.01 * w.grad.data
            w.grad.data.zero_()
    return run, 1


def network(name):
    def make(lib):
        sizes, batch, activation, criterion = SIZES[name]
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [lib.nn.Linear(inputs, outputs), getattr(lib.nn, activation)()]
        model, loss = lib.nn.Sequential(*layers[:-1]), getattr(lib.nn, criterion)()
        optimizer = lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
        x = lib.randn(batch, sizes[0])
        y = lib.randint(0, sizes[-1], (batch,)) if criterion == "CrossEntropyLoss" else lib.rand(batch, sizes[-1])

        def run():
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
        return run, 1
    return make


def product(m, k, n):
    def make(lib):
        a, b = lib.rand(m, k), lib.rand(k, n)
        return lambda: a @ b, 1
    return make


def elementwise(function):
    def make(lib):
        x = lib.rand(1 << 22)
        return lambda: function(x), 1
    return make


CASES = {"addition, a node": addition, "addition, forward and backward": chain, "lesson, an epoch": lesson,
         **{f"{name}, a step": network(name) for name in SIZES},
         "matmul 64": product(64, 64, 64), "matmul 256": product(256, 256, 256), "matmul 1024": product(1024, 1024, 1024),
         "add, 4M": elementwise(lambda x: x + x), "sigmoid, 4M": elementwise(lambda x: x.sigmoid()),
         "tanh, 4M": elementwise(lambda x: x.tanh()), "sum, 4M": elementwise(lambda x: x.sum())}


def measure(case, libraries, rounds, seconds):
    work = {}
    for lib in libraries:
        run, per = CASES[case](lib)
        run()
        start = time.perf_counter()
        run()
        work[lib.__name__] = run, per, max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    times = {name: [] for name in work}
    gc.collect()
    for _ in range(rounds):
        for name, (run, per, times_each) in work.items():
            start = time.perf_counter()
            for _ in range(times_each):
                run()
            times[name].append((time.perf_counter() - start) / times_each / per * 1e6)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libs", default="fastgrad,torch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="a round of one case")
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    libraries = [importlib.import_module(name) for name in options.libs.split(",")]
    for lib in libraries:
        lib.set_num_threads(options.threads)
    print(f"{'':32s}" + "".join(f"{lib.__name__:>20s}" for lib in libraries) + "   microseconds, ratio to the first")
    for case in CASES:
        if options.cases not in case:
            continue
        times = measure(case, libraries, options.rounds, options.seconds)
        base = times[libraries[0].__name__]
        print(f"{case:32s}" + "".join(
            f"{min(t):12.2f} {statistics.median(b / a for a, b in zip(base, t)):6.1f}x" for t in times.values()), flush=True)


if __name__ == "__main__":
    main()
