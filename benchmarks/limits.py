"""What the machine can do, to set figures beside: multiply-adds and memory from a C program made here, an empty compiled call."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import timeit

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
typedef float vec __attribute__((vector_size(BYTES)));
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
int main(void) {
    enum { ACCS = 16, LANES = BYTES / 4, STEPS = 2000000 };
    double best_fma = 0, best_copy = 0;
    size_t n = 64 << 20;
    char *a = malloc(n), *b = malloc(n);
    vec acc[ACCS], x = {0}, y = {0};
    memset(a, 1, n); memset(b, 2, n);
    for (int r = 0; r < 10; r++) {
        double start = now();
        for (int i = 0; i < ACCS; i++) acc[i] = x;
        __asm__ volatile("" : "+m"(x), "+m"(y));
        vec p = x, q = y;
        for (int s = 0; s < STEPS; s++) {
            for (int i = 0; i < ACCS; i++) acc[i] = acc[i] * p + q;
            __asm__ volatile("" ::: );
        }
        double t = now() - start;
        for (int i = 0; i < ACCS; i++) __asm__ volatile("" : : "m"(acc[i]));
        double rate = 2.0 * ACCS * LANES * STEPS / t;
        if (rate > best_fma) best_fma = rate;
        start = now();
        memcpy(a, b, n);
        __asm__ volatile("" : : "r"(a) : "memory");
        rate = 2.0 * n / (now() - start);
        if (rate > best_copy) best_copy = rate;
    }
    printf("%.1f %.1f\n", best_fma / 1e9, best_copy / 1e9);
    return 0;
}
"""


def of_the_core():
    """(GFLOP/s of float32 multiply-adds, GB/s read and written by a copy) of one core; empty without a C compiler."""
    compiler = next((shutil.which(name) for name in (os.environ.get("CC", ""), "cc", "gcc", "clang") if name), None)
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "limits.c"), os.path.join(folder, "limits")
        with open(source, "w") as f:
            f.write(PROGRAM)
        width = 64 if "avx512f" in processor_flags() else 32 if "avx2" in processor_flags() else 16
        subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", f"-DBYTES={width}", source, "-o", program], check=True,
                       capture_output=True)
        fma, copied = map(float, subprocess.run([program], check=True, capture_output=True, text=True).stdout.split())
    return {"float32 multiply-adds, a core, GFLOP/s": fma, "memory copied, a core, GB/s": copied}


def processor_flags():
    if not os.path.exists("/proc/cpuinfo"):
        return ""
    with open("/proc/cpuinfo") as f:
        return f.read()


def processor_name():
    names = [line.partition(":")[2].strip() for line in processor_flags().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def empty_call():
    """Nanoseconds of a method in C that does nothing but return a new object."""
    return min(timeit.repeat("f()", "f = (1.5).conjugate", number=1_000_000, repeat=7)) * 1e3


def machine(threads):
    return {"processor": processor_name(), "cores": os.cpu_count(), "system": platform.platform(terse=True),
            "python": sys.version.split()[0], "threads": threads, "empty compiled call, ns": round(empty_call(), 1), **of_the_core()}
