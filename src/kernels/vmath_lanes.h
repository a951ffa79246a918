/* Functions of vmath*.pxi on whole vectors, for expressions that are arithmetic and these functions alone: where a CPU level has
 * exponents, table look-ups and estimates as instructions, which no compiler makes of scalar code.  LANES is how many elements a
 * vector has, 0 where a level has none: then the scalar functions are all there is, and what is called here is never run.
 *
 * Method: exp(x) as 2^(N/16) exp(r), N = rint(16 x / ln2), |r| <= ln2/32, so that a polynomial of degree 3 does; what depends on
 * N mod 16 comes from tables that fit a register.  r = x - N ln2/16 takes one fma, whose product is exact: ln2/16 as a float errs by
 * 1.2e-10.  What counts is the number of instructions times the length of their chain, for only some seventy wait at a time.
 */
#ifndef FASTGRAD_VMATH_LANES_H
#define FASTGRAD_VMATH_LANES_H

#include "simd.h"

#if defined(__AVX512F__)
#define LANES_F32 16
typedef __m512 f32_lanes;

#define V(x) _mm512_set1_ps(x)
#define FMA _mm512_fmadd_ps

FG_INLINE f32_lanes splat_lanes(float x) { return V(x); }
FG_INLINE f32_lanes load_lanes(const float* x) { return _mm512_loadu_ps(x); }
FG_INLINE void store_lanes(float* out, f32_lanes x) { _mm512_storeu_ps(out, x); }
FG_INLINE f32_lanes load_some_lanes(const float* x, int64_t n) { return _mm512_maskz_loadu_ps((__mmask16)((1 << n) - 1), x); }
FG_INLINE void store_some_lanes(float* out, int64_t n, f32_lanes x) { _mm512_mask_storeu_ps(out, (__mmask16)((1 << n) - 1), x); }

FG_INLINE f32_lanes look_up(const float* table, f32_lanes index) {
    return _mm512_permutexvar_ps(_mm512_castps_si512(index), _mm512_load_ps(table));
}

/* r (1 + r/2 + r^2/6) + c = exp(r) - 1 + c, |r| <= ln2/32, to 1.2e-9 but for the constant 1.1e-9. */
FG_INLINE f32_lanes expm1_near_lanes(f32_lanes r, f32_lanes c) {
    return FMA(FMA(FMA(V(0.166666672f), r, V(0.50001955f)), r, V(1.0f)), r, c);
}

/* c 2^-28 = 2^m (1 + k/16), N + 14 = 16 m + k: by shifting N into the exponent and what follows it.  With t = c / exp(x) of x = N ln2/16:
 * sigmoid(x + r) = c / (c + t exp(-r)), and t, between 1.83 and 1.95, is 1.75 + t d.  So c + 1.75 is exact wherever both count,
 * and the sum is rounded once. */
static const float sigmoid_t[16] __attribute__((aligned(64))) = {
    492312800.0f, 500905376.0f, 507884416.0f, 513371328.0f, 517480096.0f, 520317664.0f,
    521984448.0f, 522574656.0f, 522176576.0f, 520872928.0f, 518741216.0f, 515853984.0f,
    512279136.0f, 508080192.0f, 503316480.0f, 498043424.0f};
static const float sigmoid_d[16] __attribute__((aligned(64))) = {
    0.0458057337f, 0.0621740632f, 0.075061135f, 0.0849468708f, 0.0922123119f, 0.0971629694f,
    0.100045912f, 0.101062343f, 0.100377016f, 0.0981254131f, 0.094419241f, 0.0893507302f,
    0.0829959586f, 0.0754175186f, 0.0666666627f, 0.0567849688f};

FG_INLINE f32_lanes sigmoid_within_lanes(f32_lanes x) {           /* -104 <= x <= 18 */
    const f32_lanes shifted = FMA(x, V(23.0831203f), V(12582912.0f + 16 * (127 + 28) + 14));
    const f32_lanes n = _mm512_sub_ps(shifted, V(12582912.0f + 16 * (127 + 28) + 14));
    const f32_lanes r = _mm512_fmsub_ps(n, V(0.0433216989f), x), d = FMA(n, V(-1.1904e-10f), look_up(sigmoid_d, shifted));
    const f32_lanes c = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(shifted), 19));
    const f32_lanes p = expm1_near_lanes(r, d);
    return _mm512_div_ps(c, FMA(look_up(sigmoid_t, shifted), p, _mm512_add_ps(c, V(1.75f * 268435456.0f))));
}

/* 1 / (1 + exp(-x)), any x.  Max ulp 1.62. */
FG_INLINE f32_lanes vsigmoid_lanes(f32_lanes x) {
    return sigmoid_within_lanes(_mm512_max_ps(V(-104.0f), _mm512_min_ps(V(18.0f), x)));       /* NaN is the second of both */
}

/* tanh(x), any x: as tanh_f32, with 2 / (1 + exp(2|x|)) as 2 sigmoid(-2|x|).  Max ulp 1.15. */
FG_INLINE f32_lanes vtanh_lanes(f32_lanes x) {
    const f32_lanes sign = V(-0.0f), z = x * x;
    const __mmask16 near = _mm512_cmp_ps_mask(_mm512_abs_ps(x), V(0.6f), _CMP_LT_OQ);
    f32_lanes p = FMA(V(-0.00589515874f), z, V(0.0207959805f)), y;
    p = FMA(p, z, V(-0.053783834f));
    p = FMA(p, z, V(0.133319244f));
    p = FMA(p, z, V(-0.333332986f));
    y = _mm512_max_ps(V(-24.0f), _mm512_or_ps(x + x, sign));
    y = _mm512_fnmadd_ps(V(2.0f), sigmoid_within_lanes(y), V(1.0f));
    y = _mm512_mask_mov_ps(y, near, FMA(z * x, p, x));
    /* the magnitude of y with the sign of x */
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(sign), _mm512_castps_si512(x), _mm512_castps_si512(y), 0xCA));
}

/* exp(-x^2 / 2), 0 from 15 on. */
static const float sixteenths[16] __attribute__((aligned(64))) = {
    1.0f, 1.04427373f, 1.09050775f, 1.13878858f, 1.18920708f, 1.24185777f,
    1.29683959f, 1.35425556f, 1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f,
    1.68179286f, 1.75625217f, 1.8340081f, 1.91520655f};

FG_INLINE f32_lanes half_gauss_lanes(f32_lanes x) {
    const f32_lanes t = _mm512_min_ps(V(15.0f), _mm512_abs_ps(x)), z = t * t;
    const f32_lanes shifted = FMA(z, V(-0.72134751f), V(786432.0f)), n = _mm512_sub_ps(shifted, V(786432.0f));
    const f32_lanes r = _mm512_fnmadd_ps(n, V(0.693147182f), z * V(-0.5f));
    const f32_lanes e = look_up(sixteenths, shifted);
    return _mm512_scalef_ps(FMA(e, expm1_near_lanes(r, V(0.0f)), e), n);       /* by 2^floor(n) */
}

/* As vnormal_cdf and vnormal_density; the polynomial's upper part by its even and its odd powers. */
FG_INLINE f32_lanes vnormal_cdf_lanes(f32_lanes x) {
    const f32_lanes t = _mm512_min_ps(V(15.0f), _mm512_abs_ps(x)), z = t * t;
    f32_lanes p = FMA(V(4.08937785e-06f), z, V(0.000419197138f)), q = FMA(V(-1.3616355e-07f), z, V(-5.39835564e-05f));
    p = FMA(p, z, V(0.00827164017f)), q = FMA(q, z, V(-0.00217933813f));
    p = FMA(p, z, V(0.0613676049f)), q = FMA(q, z, V(-0.0246537123f));
    p = FMA(q, t, p);
    p = FMA(p, t, V(-0.132590175f));
    p = FMA(p, t, V(0.24993065f));
    p = FMA(p, t, V(-0.398937494f));
    p = FMA(p, t, V(0.49999994f));
    p = p * half_gauss_lanes(x);
    return _mm512_mask_sub_ps(p, _mm512_cmp_ps_mask(x, V(0.0f), _CMP_NLT_UQ), V(1.0f), p);
}

FG_INLINE f32_lanes vnormal_density_lanes(f32_lanes x) { return V(0.39894228f) * half_gauss_lanes(x); }

#undef V
#undef FMA
#else
#define LANES_F32 0
typedef float f32_lanes;
FG_INLINE f32_lanes splat_lanes(float x) { return x; }
FG_INLINE f32_lanes load_lanes(const float* x) { return *x; }
FG_INLINE void store_lanes(float* out, f32_lanes x) { *out = x; }
FG_INLINE f32_lanes load_some_lanes(const float* x, int64_t n) { return n ? *x : 0; }
FG_INLINE void store_some_lanes(float* out, int64_t n, f32_lanes x) { if (n) *out = x; }
FG_INLINE f32_lanes vsigmoid_lanes(f32_lanes x) { return x; }
FG_INLINE f32_lanes vtanh_lanes(f32_lanes x) { return x; }
FG_INLINE f32_lanes vnormal_cdf_lanes(f32_lanes x) { return x; }
FG_INLINE f32_lanes vnormal_density_lanes(f32_lanes x) { return x; }
#endif
#endif
