"""Builds fastgrad: the generator, the engine, the operations, and the kernels once for every CPU level.

FASTGRAD_DEBUG=1 turns on bounds checks, C assertions and the counters of live objects.
FASTGRAD_QUICK=1 builds the kernels for this machine's level only and optimizes the rest little: for work on fastgrad itself.
"""
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = os.path.dirname(os.path.abspath(__file__))
DEBUG = os.environ.get("FASTGRAD_DEBUG", "0") not in ("", "0")
QUICK = os.environ.get("FASTGRAD_QUICK", "0") not in ("", "0")
GENERATED = os.path.join("build", "generated")
WINDOWS = sys.platform == "win32"

DIRECTIVES = {
    "language_level": 3, "boundscheck": DEBUG, "wraparound": False, "initializedcheck": False, "cdivision": True,
    "embedsignature": True, "auto_pickle": False, "freethreading_compatible": False,
    "allow_none_for_extension_args": False,          # a def argument typed as a class refuses None instead of reading it
}
# what processors from before 2013 run is to be small: a third less than at -O3, which versions loops
SMALL = [] if DEBUG or WINDOWS else ["-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic"]
LEVELS = {
    "x86_64": {"v2": ["-march=x86-64-v2", *SMALL], "v3": ["-march=x86-64-v3"],
               "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"]},
}
# what is compiled for, which is not what this machine is where the build is a cross-compilation
PLATFORM = sysconfig.get_platform().rpartition("-")[2]
MACHINE = {"amd64": "x86_64"}.get(PLATFORM, PLATFORM)
# contraction stays off: fma only where a kernel says so, so that results do not depend on the compiler's mood
NUMERIC = [] if WINDOWS else ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fwrapv"]
GCC = "gcc" in (sysconfig.get_config_var("CC") or "")
# GCC 12 drops the rounding of two neighbouring doubles to float and back where it makes one vector of them
HANDFULS = ["-fno-tree-loop-distribute-patterns", "-fno-tree-slp-vectorize", "-fno-plt", "--param=max-inline-insns-auto=10",
            "--param=inline-min-speedup=60"] if GCC else []
# of the kernels, too, only what is marked inline is inlined, or is tiny: a fifth less to compile, ship and load, as fast
SPARING = ["--param=max-inline-insns-auto=15", "--param=inline-min-speedup=30"] if GCC else []
OPTIMIZE = [] if WINDOWS else ["-O1"] if DEBUG else ["-O3", *SPARING]
# code that handles a few dimensions and arguments at a time: no calls of memset for loops over two items, none through stubs.
# The engine is small and always hot; the operations are many.  Only what is marked inline is inlined, so that rare paths
# stay out of the common ones and leave them the registers.
ENGINE, OPERATIONS = ([] if WINDOWS else ["-O1"] if DEBUG else ["-O0"] if QUICK else [level, *HANDFULS] for level in ("-O3", "-O1"))
# without the names of inner functions, which take a tenth of the files; profilers of a working copy, built in place, want them
STRIPPED = ["-Wl,-s"] if sys.platform == "linux" and not (DEBUG or QUICK) else []
QUIET = [] if WINDOWS else [*([] if DEBUG else ["-g0"]), "-Wno-unused-function", "-Wno-unreachable-code", "-Wno-maybe-uninitialized"]
# a complex number is a struct: as one of C's own types, made of parts that are infinite it would be NaN
MACROS = [("CYTHON_CCOMPLEX", "0")] + ([("FASTGRAD_DEBUG", None)] if DEBUG else [])


def native_levels():
    """The levels to build: all, or in a quick build the best this machine has (read off the compiler's own detection)."""
    levels = LEVELS.get(MACHINE, {"generic": []})
    if QUICK and "v4" in levels:
        flags = open("/proc/cpuinfo").read() if os.path.exists("/proc/cpuinfo") else ""
        best = "v4" if "avx512vl" in flags else "v3" if "avx2" in flags else "v2"
        return {best: levels[best]}
    return levels


def stale(target, sources):
    """Whether a file is older than any of its sources."""
    return not os.path.exists(target) or any(os.path.getmtime(s) > os.path.getmtime(target) for s in sources)


class Module(Extension):
    """An extension whose C is made of Cython: of src/FOLDER, and of what the generator wrote beside the C file."""

    def __init__(self, name, pyx, folder, c_file, flags, source=None, text=None):
        self.pyx, self.folder, self.c_file, self.text = pyx, folder, c_file, text
        super().__init__(f"fastgrad.{name}", [source or c_file], depends=[c_file, *glob(f"src/{folder}/*.h")],
                         include_dirs=["src", "src/kernels", GENERATED], extra_compile_args=flags + QUIET, define_macros=MACROS)

    def make_c(self):
        """In a process of its own, since Cython holds the interpreter's lock; without garbage collection, a third of its time."""
        generated, kernels = os.path.dirname(self.c_file), self.folder == "kernels"
        sources = [self.pyx, "src/core/half.pxi", *glob(f"src/{self.folder}/*.p*"), *glob("fastgrad/*.pxd"), *glob(f"{generated}/*.pxi")]
        if (QUICK or kernels) and not stale(self.c_file, sources):       # otherwise the build before may have had other directives
            return
        directives = {**DIRECTIVES, "boundscheck": DEBUG and not kernels}
        cython = "import gc; gc.disable(); from Cython.Compiler.Main import main; main(command_line=1)"
        subprocess.check_call([sys.executable, "-c", cython, "-X", ",".join(f"{k}={v}" for k, v in directives.items()),
                               "--module-name", "_kernels" if kernels else self.name, "-I", ".", "-I", "src", "-I", generated,
                               self.pyx, "-o", self.c_file])

    def write_source(self):
        """Of a module that is compiled under another name than its C file has."""
        source, = self.sources
        if self.text and (not os.path.exists(source) or open(source).read() != self.text):
            with open(source, "w") as f:
                f.write(self.text)


def kernel_module(name, made_in, flags):
    """The kernels that the generator wrote into one folder, under a module name of their own: one C file serves every level."""
    return Module(name, "src/kernels/_kernels.pyx", "kernels", os.path.join(GENERATED, made_in, "_kernels.c"), OPTIMIZE + NUMERIC + flags,
                  os.path.join(GENERATED, f"{name}.c"), f"#define PyInit__kernels PyInit_{name}\n#include \"{made_in}/_kernels.c\"\n")


def modules():
    """Those that take longest come first, so that no core idles at the end."""
    levels, least = native_levels(), next(iter(LEVELS.get(MACHINE, {"generic": []}).values()))
    return [Module("_ops", "src/_ops.pyx", "ops", os.path.join(GENERATED, "_ops.c"), OPERATIONS),
            *(kernel_module(f"_kernels_{level}", "levels", levels[level]) for level in reversed(levels)),
            Module("_engine", "src/_engine.pyx", "core", os.path.join(GENERATED, "_engine.c"), ENGINE),
            kernel_module("_kernels_once", "once", [*least, *SMALL])]


class Build(build_ext):
    """Runs the generator, then Cython and the C compiler on all modules side by side."""

    def finalize_options(self):
        os.chdir(HERE)
        self.distribution.ext_modules = modules()
        super().finalize_options()
        for module in self.extensions if not self.inplace else ():
            module.extra_link_args = STRIPPED
        self.parallel = self.parallel or os.cpu_count()

    def get_source_files(self):
        """What a source distribution needs: not the C, which is made of it."""
        return [path for path in glob("src/**", recursive=True) if os.path.isfile(path) and not path.endswith(".pyc")]

    def build_extensions(self):
        subprocess.check_call([sys.executable, os.path.join("src", "ops", "generate.py"), GENERATED])
        first = {module.c_file: module for module in reversed(self.extensions)}
        with ThreadPoolExecutor(self.parallel) as pool:
            self.made = {c_file: pool.submit(module.make_c) for c_file, module in reversed(first.items())}
            super().build_extensions()

    def build_extension(self, module):
        self.made[module.c_file].result()
        module.write_source()
        super().build_extension(module)

    def run(self):
        super().run()
        if not self.inplace:                 # so that `python -m fastgrad` also works from the checkout, which comes first there
            self.copy_extensions_to_source()


setup(ext_modules=[Extension("fastgrad._engine", [])], cmdclass={"build_ext": Build})
