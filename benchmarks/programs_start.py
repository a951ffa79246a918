"""Starts one public program for benchmarks/programs.py: `python programs_start.py LINES GYM PROGRAM [ARGUMENTS]`.

The program's text is not touched. Around it: one seed for every generator, no windows, `gym` by the name it has today (GYM is
`new`, or `old` for programs from before reset() gave two values), and an end after LINES printed lines, since many train for hours.
"""

import os
import random
import runpy
import sys

import numpy as np
import torch


class Limited:
    """A stream that ends the program, as sys.exit() would, once it has printed so many lines."""

    def __init__(self, stream, lines):
        self.stream, self.lines = stream, lines

    def write(self, text):
        written = self.stream.write(text)
        self.lines -= text.count("\n")
        if self.lines <= 0:
            self.stream.flush()
            os._exit(0)  # past any `except:` of the program's
        return written

    def __getattr__(self, name):
        return getattr(self.stream, name)


def old_gym():
    """gymnasium with the interface gym had up to 0.25: reset() gives the observation, step() gives four values, seed()."""
    import gymnasium

    class Old(gymnasium.Wrapper):
        next_seed = 0
        unwrapped = property(lambda self: self)  # what is inside has the newer interface

        def __getattr__(self, name):
            return getattr(self.env.unwrapped, name)

        def reset(self, **options):
            observation, _ = self.env.reset(seed=self.next_seed)
            self.next_seed = None
            return observation

        def step(self, action):
            observation, reward, terminated, truncated, info = self.env.step(action)
            return observation, reward, terminated or truncated, info

        def seed(self, seed=None):
            self.next_seed = seed
            self.action_space.seed(seed)
            return [seed]

        def render(self, *args, **options):
            return None

    def make(name, **options):
        newer = {"CartPole-v0": "CartPole-v1", "Pendulum-v0": "Pendulum-v1"}
        return Old(gymnasium.make(newer.get(name, name), **options))

    module = type(sys)("gym")
    module.__dict__.update(vars(gymnasium))
    module.make = make
    return module


def new_gym():
    """gymnasium whose first reset() is seeded, if the program does not seed it."""
    import gymnasium

    class Seeded(gymnasium.Wrapper):
        first = 0

        def reset(self, *, seed=None, options=None):
            seed, self.first = self.first if seed is None else seed, None
            return self.env.reset(seed=seed, options=options)

    def make(name, **options):
        env = Seeded(original(name, **options))
        env.action_space.seed(0)
        return env

    original, gymnasium.make = gymnasium.make, make
    return gymnasium


def main():
    lines, gym, program, *arguments = sys.argv[1:]
    os.environ["MPLBACKEND"] = "Agg"
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    if gym != "none":
        sys.modules["gym"] = old_gym() if gym == "old" else new_gym()
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    if "torchvision" in open(program, encoding="utf-8").read():
        import torchvision.datasets.cifar as cifar

        cifar.check_integrity = lambda *args: True  # made-up files have not the checksums of the real ones
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    sys.stdout = Limited(sys.stdout, int(lines))
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
