# CPU levels: the best build of the kernels that this machine can run, or the one that FASTGRAD_CPU names.

cdef extern from *:
    """
    #if defined(__x86_64__) || defined(_M_X64)
    #include <cpuid.h>
    static int fg_xcr0(void) { unsigned a, d; __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0)); return (int)a; }
    /* 2, 3 or 4: the x86-64 level of this processor and system. */
    static int fg_cpu_level(void) {
        unsigned a, b, c, d, c1;
        if (!__get_cpuid(1, &a, &b, &c1, &d)) return 2;
        int avx_os = (c1 >> 27 & 1) && (fg_xcr0() & 6) == 6;
        if (!avx_os || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 2;
        int v3 = (b >> 5 & 1) && (b >> 3 & 1) && (b >> 8 & 1) && (c1 >> 12 & 1) && (c1 >> 29 & 1);
        if (!v3) return 2;
        int v4 = (b >> 16 & 1) && (b >> 17 & 1) && (b >> 28 & 1) && (b >> 30 & 1) && (b >> 31 & 1) && (fg_xcr0() & 0xe0) == 0xe0;
        return v4 ? 4 : 3;
    }
    #else
    static int fg_cpu_level(void) { return 0; }
    #endif
    """
    int fg_cpu_level()


cdef list machine_levels():
    """The levels this machine can run, the best first."""
    cdef int best = fg_cpu_level()
    return [f"v{i}" for i in range(best, 1, -1)] if best else ["generic"]


cdef str level_in_use


def kernel_level():
    """The CPU level of the kernels in use."""
    return level_in_use


def load_kernels(forced=None):
    """Import the kernels of a CPU level and point the engine at their table.  Called once, on import.

    Raises:
        ImportError: the file of kernels was built from another table of operations.
        RuntimeError: FASTGRAD_CPU names a level that this machine or this build lacks.
    """
    global kernel_table, level_in_use
    levels = machine_levels()
    if forced:
        if forced not in levels:
            raise RuntimeError(f"FASTGRAD_CPU: this machine runs {', '.join(levels)}, got {forced!r}")
        levels = [forced]
    for level in levels:
        try:
            kernel_table = kernels_of(f"fastgrad._kernels_{level}")
        except ModuleNotFoundError:
            continue
        add_kernels(kernel_table, kernels_of("fastgrad._kernels_once"))
        level_in_use = level
        return level
    raise RuntimeError(f"fastgrad was built without kernels for {', '.join(levels)}")


cdef KernelTable* kernels_of(str name) except NULL:
    """The table of a file of kernels."""
    import importlib
    module = importlib.import_module(name)
    if sys.modules.get("_kernels") is module:              # Cython enters it under its source's name too
        del sys.modules["_kernels"]
    if <size_t>PyCapsule_GetContext(module.table) != KERNELS_FINGERPRINT:
        raise ImportError(f"{module.__file__} is stale: it was built from another table of operations than this engine. Build "
                          "fastgrad again.", name=module.__name__, path=module.__file__)
    return <KernelTable*>PyCapsule_GetPointer(module.table, b"fastgrad.kernels")


cdef int add_kernels(KernelTable* into, const KernelTable* once) except -1:
    """Complete a level's table by the kernels that are compiled once."""
    cdef int i
    for i in range(KERNELS * NDTYPES):
        if once.kernel[i] != NULL:
            into.kernel[i] = once.kernel[i]
    return 0
