# Scalar math functions from which every elementwise kernel is made: vexp, vlog, vtanh, ... fused over real (f32, f64).
#
# Each is branch-free (selects, no calls, no tables, no early return), so that GCC vectorizes a plain loop over it at every CPU
# level; name_f32 and name_f64 hold the two precisions, the fused v-name chooses. Values at NaN, infinities, signed zeros and
# denormals are those of C's libm. Coefficients come from fit_vmath.py; max ulp in the comments is the largest error measured
# over the levels with and without fma (f32 / f64). No pointer, no loop and no knowledge of tensors here.
#
# Four need care: vsin, vcos, vtan and vfmod may call libm, so a loop over them stays scalar. Where no element is vtrig_huge(x) or
# vfmod_huge(x, y), which vectorize, a kernel runs the loop over vsin_core, vcos_core, vtan_core or vfmod_core instead.
#
# Some have a form on vectors in vmath_lanes.h, which elementwise kernels of float32 use where the CPU level has one.
#
# Literals: 2 * s is double in the C that Cython writes. In f32 write <f32>2 * s, or pass the literal to an f32 function.

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "simd.h" nogil:
    uint32_t bits_f32(f32 x)
    f32 from_bits_f32(uint32_t u)
    uint64_t bits_f64(f64 x)
    f64 from_bits_f64(uint64_t u)
    f32 fma_f32(f32 a, f32 b, f32 c)        # a * b + c, fused where the CPU level has it
    f64 fma_f64(f64 a, f64 b, f64 c)
    f32 select_f32(bint condition, f32 a, f32 b)
    f64 select_f64(bint condition, f64 a, f64 b)
    f32 c_sqrt_f32 "__builtin_sqrtf"(f32 x)
    f64 c_sqrt_f64 "__builtin_sqrt"(f64 x)
    f32 c_fabs_f32 "__builtin_fabsf"(f32 x)
    f64 c_fabs_f64 "__builtin_fabs"(f64 x)
    f32 c_copysign_f32 "__builtin_copysignf"(f32 x, f32 sign)
    f64 c_copysign_f64 "__builtin_copysign"(f64 x, f64 sign)
    f32 c_floor_f32 "__builtin_floorf"(f32 x)
    f64 c_floor_f64 "__builtin_floor"(f64 x)
    f32 c_ceil_f32 "__builtin_ceilf"(f32 x)
    f64 c_ceil_f64 "__builtin_ceil"(f64 x)
    f32 c_trunc_f32 "__builtin_truncf"(f32 x)
    f64 c_trunc_f64 "__builtin_trunc"(f64 x)
    f32 c_rint_f32 "__builtin_rintf"(f32 x)
    f64 c_rint_f64 "__builtin_rint"(f64 x)
    f32 INF_F32 "__builtin_inff()"
    f64 INF_F64 "__builtin_inf()"
    f32 NAN_F32 "__builtin_nanf(\"\")"
    f64 NAN_F64 "__builtin_nan(\"\")"

cdef extern from "vmath_lanes.h" nogil:
    const int LANES_F32                       # elements of a vector, 0 where there is none
    ctypedef float f32_lanes
    f32_lanes splat_lanes(f32 x)
    f32_lanes load_lanes(const f32* x)
    f32_lanes load_some_lanes(const f32* x, int64_t n)
    void store_lanes(f32* out, f32_lanes x)
    void store_some_lanes(f32* out, int64_t n, f32_lanes x)
    f32_lanes vsigmoid_lanes(f32_lanes x)
    f32_lanes vtanh_lanes(f32_lanes x)
    f32_lanes vnormal_cdf_lanes(f32_lanes x)
    f32_lanes vnormal_density_lanes(f32_lanes x)


# --- exact functions -------------------------------------------------------------------------------------------------------

cdef inline real vsqrt(real x) noexcept nogil:
    """sqrt(x), correctly rounded."""
    return c_sqrt_f32(x) if real is f32 else c_sqrt_f64(x)


cdef inline real vabs(real x) noexcept nogil:
    return c_fabs_f32(x) if real is f32 else c_fabs_f64(x)


cdef inline real vcopysign(real x, real sign) noexcept nogil:
    return c_copysign_f32(x, sign) if real is f32 else c_copysign_f64(x, sign)


cdef inline real vfloor(real x) noexcept nogil:
    return c_floor_f32(x) if real is f32 else c_floor_f64(x)


cdef inline real vceil(real x) noexcept nogil:
    return c_ceil_f32(x) if real is f32 else c_ceil_f64(x)


cdef inline real vtrunc(real x) noexcept nogil:
    return c_trunc_f32(x) if real is f32 else c_trunc_f64(x)


cdef inline real vrint(real x) noexcept nogil:
    """Nearest integer, ties to even."""
    return c_rint_f32(x) if real is f32 else c_rint_f64(x)


cdef inline bint visnan(real x) noexcept nogil:
    return x != x


cdef inline bint visinf(real x) noexcept nogil:
    if real is f32:
        return c_fabs_f32(x) == INF_F32
    else:
        return c_fabs_f64(x) == INF_F64


cdef inline bint visfinite(real x) noexcept nogil:
    if real is f32:
        return c_fabs_f32(x) < INF_F32
    else:
        return c_fabs_f64(x) < INF_F64


include "vmath_exp.pxi"
include "vmath_hyperbolic.pxi"
include "vmath_log.pxi"
include "vmath_trig.pxi"
include "vmath_arc.pxi"
include "vmath_erf.pxi"
include "vmath_pow.pxi"
include "vmath_twofold.pxi"
include "vmath_normal.pxi"
include "vmath_gamma.pxi"
include "vmath_bessel.pxi"
include "vmath_orthogonal.pxi"
