"""What memory do training steps take at the most, beyond what the process had with its data and parameters made, and what does a node?

Each figure comes from a process of its own, which tells how far its resident memory grew (Linux: VmHWM, reset before the steps).
"""

import subprocess
import sys

from .harness import BASE, Result

HEAD = """
import importlib, sys
lib = importlib.import_module(sys.argv[1])
lib.set_num_threads(1)
nn, F = lib.nn, lib.nn.functional
def grown(prepare, work):
    prepare()
    open("/proc/self/clear_refs", "w").write("5")
    def read(name):
        return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name))
    before = read("VmRSS")
    work()
    return read("VmHWM") - before
def steps(model, x, loss):
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    def work():
        for _ in range(4):
            optimizer.zero_grad()
            loss(model(x)).backward()
            optimizer.step()
    a, b = lib.rand(8, 8, requires_grad=True), lib.rand(8, 8)
    print(grown(lambda: (a @ b).sum().backward(), work) / 1e6)
"""
PROGRAMS = {
    "784-512-256-128-64-10, batch 64": """
y = lib.randint(0, 10, (64,))
sizes = (784, 512, 256, 128, 64, 10)
layers = [layer for i, o in zip(sizes, sizes[1:]) for layer in (nn.Linear(i, o), nn.ReLU())]
steps(nn.Sequential(*layers[:-1]), lib.rand(64, 784), lambda out: F.cross_entropy(out, y))
""",
    "1024-1024-1024-1024, batch 1024": """
layers = [layer for _ in range(3) for layer in (nn.Linear(1024, 1024), nn.Sigmoid())]
steps(nn.Sequential(*layers), lib.rand(1024, 1024), lambda out: (out * out).mean())
""",
    "elementwise chain of 20, 1M": """
class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(lib.ones(1))
    def forward(self, x):
        x = x * self.w
        for _ in range(5):
            x = ((x * 1.01).tanh() + x).sigmoid()
        return x
steps(Chain(), lib.rand(1 << 20), lambda out: out.sum())
""",
    "two convolutions, 28x28, batch 64": """
y = lib.randint(0, 10, (64,))
model = nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(320, 10))
steps(model, lib.rand(64, 1, 28, 28), lambda out: F.cross_entropy(out, y))
""",
}
NODE = """
x, y = lib.tensor([1.0], requires_grad=True), lib.tensor([2.0])
def work():
    global z
    z = x
    for _ in range(200_000):
        z = z + y
print(grown(lambda: x + y, work) / 200_000)
"""


def figure(name, program):
    done = subprocess.run([sys.executable, "-c", HEAD + program, name], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return float(done.stdout)


def results(libraries, wanted=""):
    libraries = [name for name in libraries if name in ("fastgrad", "torch")]
    for case, program, unit in [*((case, program, "MB") for case, program in PROGRAMS.items()), ("a node", NODE, "bytes")]:
        if wanted not in case:
            continue
        result = Result("memory", case, unit)
        for name in libraries:
            try:
                result.values[name] = figure(name, program)
            except RuntimeError as error:
                result.missing[name] = str(error)
        if BASE in result.values:
            result.ratios = {name: value / result.values[BASE] for name, value in result.values.items()}
        yield result
