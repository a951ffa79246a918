"""Builds fastgrad: the generator, the engine, the operations, and the kernels once for every CPU level.

FASTGRAD_DEBUG=1 turns on bounds checks, C assertions and the counters of live objects.
"""
import os
import platform
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = os.path.dirname(os.path.abspath(__file__))
DEBUG = os.environ.get("FASTGRAD_DEBUG", "0") not in ("", "0")
GENERATED = os.path.join("build", "generated")
WINDOWS = sys.platform == "win32"

DIRECTIVES = {
    "language_level": 3, "boundscheck": DEBUG, "wraparound": False, "initializedcheck": False, "cdivision": True,
    "embedsignature": True, "auto_pickle": False, "freethreading_compatible": False,
}
LEVELS = {
    "x86_64": {"v2": ["-march=x86-64-v2"], "v3": ["-march=x86-64-v3"],
               "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"]},
}
MACHINE = {"AMD64": "x86_64"}.get(platform.machine(), platform.machine())
# contraction stays off: fma only where a kernel says so, so that results do not depend on the compiler's mood
NUMERIC = [] if WINDOWS else ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fwrapv"]
OPTIMIZE = [] if WINDOWS else ["-O1" if DEBUG else "-O3"]
QUIET = [] if WINDOWS else ["-Wno-unused-function", "-Wno-unreachable-code", "-Wno-maybe-uninitialized"]
MACROS = [("FASTGRAD_DEBUG", None)] if DEBUG else []


def kernel_extensions(c_file):
    """The same C file once for each CPU level, under another module name."""
    extensions = []
    for level, flags in LEVELS.get(MACHINE, {"generic": []}).items():
        name = f"_kernels_{level}"
        source = os.path.join(GENERATED, f"{name}.c")
        text = f"#define PyInit__kernels PyInit_{name}\n#include \"{os.path.basename(c_file)}\"\n"
        if not os.path.exists(source) or open(source).read() != text:
            with open(source, "w") as f:
                f.write(text)
        extensions.append(Extension(f"fastgrad.{name}", [source], depends=[c_file, "src/kernels/tile.h", "src/kernels/simd.h"],
                                    include_dirs=["src/kernels", os.path.dirname(c_file)],
                                    extra_compile_args=OPTIMIZE + NUMERIC + QUIET + flags, define_macros=MACROS))
    return extensions


def extensions():
    import subprocess
    from Cython.Build import cythonize
    from Cython.Compiler.Main import compile as cython_compile
    subprocess.check_call([sys.executable, os.path.join("src", "ops", "generate.py"), GENERATED])
    paths = [".", "src", GENERATED]
    c_file = os.path.join(GENERATED, "_kernels.c")
    compiled = cython_compile([os.path.join("src", "kernels", "_kernels.pyx")], include_path=paths, output_file=c_file,
                              compiler_directives={**DIRECTIVES, "boundscheck": False})
    if compiled.num_errors:
        raise SystemExit("the kernels did not compile")
    modules = [Extension(f"fastgrad.{name}", [f"src/{name}.pyx"], include_dirs=["src"], define_macros=MACROS,
                         extra_compile_args=([] if WINDOWS else ["-O1" if DEBUG else "-O2"]) + QUIET)
               for name in ("_engine", "_ops")]
    modules = cythonize(modules, include_path=paths, build_dir=os.path.join("build", "cython"),
                        compiler_directives=DIRECTIVES, force=True)
    return modules + kernel_extensions(c_file)


class Build(build_ext):
    """Generates and cythonizes only when extensions are built, and compiles them side by side."""

    def finalize_options(self):
        os.chdir(HERE)
        self.distribution.ext_modules = extensions()
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()


setup(ext_modules=[Extension("fastgrad._engine", [])], cmdclass={"build_ext": Build})
