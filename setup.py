"""Builds fastgrad: the generator, the engine, the operations, and the kernels once for every CPU level.

FASTGRAD_DEBUG=1 turns on bounds checks, C assertions and the counters of live objects.
FASTGRAD_QUICK=1 builds the kernels for this machine's level only and optimizes the rest little: for work on fastgrad itself.
"""
import os
import platform
import sys
import sysconfig
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
MACHINE = {"AMD64": "x86_64"}.get(platform.machine(), platform.machine())
# contraction stays off: fma only where a kernel says so, so that results do not depend on the compiler's mood
NUMERIC = [] if WINDOWS else ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fwrapv"]
# GCC 12 drops the rounding of two neighbouring doubles to float and back where it makes one vector of them
HANDFULS = ["-fno-tree-loop-distribute-patterns", "-fno-tree-slp-vectorize", "-fno-plt", "--param=max-inline-insns-auto=10",
            "--param=inline-min-speedup=60"] if "gcc" in (sysconfig.get_config_var("CC") or "") else []
OPTIMIZE = [] if WINDOWS else ["-O1" if DEBUG else "-O3"]
# code that handles a few dimensions and arguments at a time: no calls of memset for loops over two items, none through stubs.
# The engine is small and always hot; the operations are many.  Only what is marked inline is inlined, so that rare paths
# stay out of the common ones and leave them the registers.
ENGINE, OPERATIONS = ([] if WINDOWS else ["-O1"] if DEBUG else ["-O0"] if QUICK else [level, *HANDFULS] for level in ("-O3", "-O2"))
# without the names of inner functions, which take a tenth of the files; profilers of a working copy want them
LINK = ["-Wl,-s"] if sys.platform == "linux" and not (DEBUG or QUICK) else []
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


def kernels_c_file(folder):
    """The kernels of one folder that the generator wrote, as C."""
    from Cython.Compiler.Main import compile as cython_compile
    generated = os.path.join(GENERATED, folder)
    c_file = os.path.join(generated, "_kernels.c")
    if stale(c_file, [*glob("src/kernels/*.p*"), "fastgrad/launch.pxd", "src/core/half.pxi", f"{generated}/kernels.pxi"]):
        compiled = cython_compile([os.path.join("src", "kernels", "_kernels.pyx")], include_path=[".", "src", generated], output_file=c_file,
                                  compiler_directives={**DIRECTIVES, "boundscheck": False})
        if compiled.num_errors:
            raise SystemExit("the kernels did not compile")
    return c_file


def kernel_extensions():
    """The same C file once for each CPU level, under another module name; and the kernels that are compiled once."""
    extensions = []
    levels, least = kernels_c_file("levels"), next(iter(LEVELS.get(MACHINE, {"generic": []}).values()))
    files = [(level, levels, flags) for level, flags in native_levels().items()]
    for level, c_file, flags in [*files, ("once", kernels_c_file("once"), [*least, *SMALL])]:
        name = f"_kernels_{level}"
        source = os.path.join(GENERATED, f"{name}.c")
        text = f"#define PyInit__kernels PyInit_{name}\n#include \"{os.path.relpath(c_file, GENERATED)}\"\n"
        if not os.path.exists(source) or open(source).read() != text:
            with open(source, "w") as f:
                f.write(text)
        extensions.append(Extension(f"fastgrad.{name}", [source], depends=[c_file, *glob("src/kernels/*.h")],
                                    include_dirs=["src/kernels", GENERATED],
                                    extra_compile_args=OPTIMIZE + NUMERIC + QUIET + flags, extra_link_args=LINK,
                                    define_macros=MACROS))
    return extensions


def extensions():
    import subprocess
    from Cython.Build import cythonize
    subprocess.check_call([sys.executable, os.path.join("src", "ops", "generate.py"), GENERATED])
    paths = [".", "src", GENERATED]
    modules = [Extension(f"fastgrad.{name}", [f"src/{name}.pyx"], include_dirs=["src"], define_macros=MACROS,
                         extra_compile_args=optimize + QUIET, extra_link_args=LINK)
               for name, optimize in (("_engine", ENGINE), ("_ops", OPERATIONS))]
    modules = cythonize(modules, include_path=paths, build_dir=os.path.join("build", "cython"),
                        compiler_directives=DIRECTIVES, force=not QUICK)
    return modules + kernel_extensions()


class Build(build_ext):
    """Generates and cythonizes only when extensions are built, and compiles them side by side."""

    def finalize_options(self):
        os.chdir(HERE)
        self.distribution.ext_modules = extensions()
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self):
        super().run()
        if not self.inplace:                 # so that `python -m fastgrad` also works from the checkout, which comes first there
            self.copy_extensions_to_source()


setup(ext_modules=[Extension("fastgrad._engine", [])], cmdclass={"build_ext": Build})
