/* What Cython cannot say, for the scalar functions in vmath*.pxi: bit casts, fused multiply-add, selection and the rounding
 * functions as builtins. Everything is a pure static inline function, so a loop over it vectorizes. No state. Also a copy that fetches
 * ahead, and one past the caches.
 *
 * Invariant: fma_* is fused where the target has it, else two roundings; error bounds must hold both ways.
 */
#ifndef FASTGRAD_SIMD_H
#define FASTGRAD_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__GNUC__) || defined(__clang__)
#define FG_INLINE static inline __attribute__((always_inline))
/* A loop over a function that stays a call cannot vectorize, and the larger ones pass GCC's size limit. */
#undef CYTHON_INLINE
#define CYTHON_INLINE inline __attribute__((always_inline))
#else
#define FG_INLINE static inline
#endif

#if defined(__FMA__) || defined(__aarch64__)
#define FG_HAS_FMA 1
#else
#define FG_HAS_FMA 0
#endif

FG_INLINE uint32_t bits_f32(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
FG_INLINE float from_bits_f32(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }
FG_INLINE uint64_t bits_f64(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }
FG_INLINE double from_bits_f64(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

#if FG_HAS_FMA
FG_INLINE float fma_f32(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
FG_INLINE double fma_f64(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
FG_INLINE float fma_f32(float a, float b, float c) { return a * b + c; }
FG_INLINE double fma_f64(double a, double b, double c) { return a * b + c; }
#endif

/* a * b - product for product = a * b rounded: exact, unless without fma a or b passes 2^996 or the product 2^-970. */
#if FG_HAS_FMA
FG_INLINE double product_error_f64(double a, double b, double product) { return __builtin_fma(a, b, -product); }
#else
FG_INLINE double product_error_f64(double a, double b, double product) {
    const double split = 134217729.0; /* 2^27 + 1: halves of 26 bits, whose products are exact */
    double ca = split * a, cb = split * b;
    double ah = ca - (ca - a), bh = cb - (cb - b);
    double al = a - ah, bl = b - bh;
    return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
}
#endif

/* c ? a : b with operands of one type: a literal in a Cython conditional would turn float into double. */
FG_INLINE float select_f32(int c, float a, float b) { return c ? a : b; }
FG_INLINE double select_f64(int c, double a, double b) { return c ? a : b; }

/* Copy n bytes while those of a row that is copied later are fetched, into the second cache: the first one waits for fewer lines at a
 * time.  Rows of a table are too short for the processor to guess. */
FG_INLINE void copy_ahead(char* to, const char* from, const char* later, int64_t n) {
#if defined(__GNUC__) || defined(__clang__)
    for (; n >= 256; n -= 256, to += 256, from += 256, later += 256) {
        for (int line = 0; line < 256; line += 64) __builtin_prefetch(later + line, 0, 2);
        memcpy(to, from, 256);
    }
    for (int64_t line = 0; line < n; line += 64) __builtin_prefetch(later + line, 0, 2);
#endif
    memcpy(to, from, (size_t)n);
}

#if defined(__GNUC__)
#define FG_OPAQUE(x, where) __asm__("" : where(x))
#else
#define FG_OPAQUE(x, where)
#endif

/* What is left over of a row, by way of a buffer, so that arithmetic runs over whole vectors: n items, then `fill` up to a multiple of
 * 16; and back.  Nothing beyond n is touched in the row.  Vectors pass through what compilers do not look into: of these few, they would
 * make a call of memcpy, or `rep movs`. */
#if defined(__AVX512F__)
#define FG_PART(real, type, lanes, x86, vector) \
    FG_INLINE void fg_move_##type(real* to, const real* from) { \
        vector x = _mm512_loadu_##x86(from); \
        FG_OPAQUE(x, "+v"); \
        _mm512_storeu_##x86(to, x); \
    } \
    FG_INLINE void load_part_##type(real* to, const real* from, int64_t n, real fill) { \
        int64_t i = 0; \
        for (; i + lanes <= n; i += lanes) fg_move_##type(to + i, from + i); \
        if (n & 15) { \
            _mm512_storeu_##x86(to + i, _mm512_mask_loadu_##x86(_mm512_set1_##x86(fill), (1 << (n - i)) - 1, from + i)); \
            for (i += lanes; i & 15; i += lanes) _mm512_storeu_##x86(to + i, _mm512_set1_##x86(fill)); \
        } \
    } \
    FG_INLINE void store_part_##type(real* to, const real* from, int64_t n) { \
        int64_t i = 0; \
        for (; i + lanes <= n; i += lanes) fg_move_##type(to + i, from + i); \
        if (i < n) _mm512_mask_storeu_##x86(to + i, (1 << (n - i)) - 1, _mm512_loadu_##x86(from + i)); \
    }
FG_PART(float, f32, 16, ps, __m512)
FG_PART(double, f64, 8, pd, __m512d)
#elif defined(__AVX2__)
/* `lanes` items from here on less n of them are a mask for n. */
static const int64_t fg_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
#define FG_PART(real, type, lanes, x86, vector, element) \
    FG_INLINE void fg_move_##type(real* to, const real* from) { \
        vector x = _mm256_loadu_##x86(from); \
        FG_OPAQUE(x, "+x"); \
        _mm256_storeu_##x86(to, x); \
    } \
    FG_INLINE __m256i fg_mask_##type(int64_t n) { return _mm256_loadu_si256((const __m256i*)((const element*)(fg_masks + 8) - n)); } \
    FG_INLINE void load_part_##type(real* to, const real* from, int64_t n, real fill) { \
        int64_t i = 0; \
        for (; i + lanes <= n; i += lanes) fg_move_##type(to + i, from + i); \
        if (i < n) { \
            const __m256i mask = fg_mask_##type(n - i); \
            _mm256_storeu_##x86(to + i, _mm256_blendv_##x86(_mm256_set1_##x86(fill), _mm256_maskload_##x86(from + i, mask), \
                                                            _mm256_castsi256_##x86(mask))); \
            i += lanes; \
        } \
        for (; i & 15; i += lanes) _mm256_storeu_##x86(to + i, _mm256_set1_##x86(fill)); \
    } \
    FG_INLINE void store_part_##type(real* to, const real* from, int64_t n) { \
        int64_t i = 0; \
        for (; i + lanes <= n; i += lanes) fg_move_##type(to + i, from + i); \
        if (i < n) _mm256_maskstore_##x86(to + i, fg_mask_##type(n - i), _mm256_loadu_##x86(from + i)); \
    }
FG_PART(float, f32, 8, ps, __m256, int32_t)
FG_PART(double, f64, 4, pd, __m256d, int64_t)
#else
/* By runs of 16, 8, 4, 2 and 1, which the compiler makes vectors of. */
#define FG_PART(real, type) \
    FG_INLINE void store_part_##type(real* to, const real* from, int64_t n) { \
        for (; n >= 16; n -= 16, to += 16, from += 16) memcpy(to, from, 16 * sizeof(real)); \
        if (n & 8) { memcpy(to, from, 8 * sizeof(real)); to += 8; from += 8; } \
        if (n & 4) { memcpy(to, from, 4 * sizeof(real)); to += 4; from += 4; } \
        if (n & 2) { memcpy(to, from, 2 * sizeof(real)); to += 2; from += 2; } \
        if (n & 1) *to = *from; \
    } \
    FG_INLINE void load_part_##type(real* to, const real* from, int64_t n, real fill) { \
        if (n & 15) for (int64_t i = n & -16; i < (n + 15 & -16); i++) to[i] = fill; \
        store_part_##type(to, from, n); \
    }
FG_PART(float, f32)
FG_PART(double, f64)
#endif
#undef FG_PART

/* The sum of n lanes, a multiple of 16: in vectors, which compilers do not always see in loops over them. */
#if defined(__AVX512F__) && defined(__GNUC__)
FG_INLINE float sum_lanes_f32(const float* s, int64_t n) {
    __m512 x = _mm512_loadu_ps(s);
    for (int64_t i = 16; i < n; i += 16) x = _mm512_add_ps(x, _mm512_loadu_ps(s + i));
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 y = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    return (y[0] + y[2]) + (y[1] + y[3]);
}
FG_INLINE double sum_lanes_f64(const double* s, int64_t n) {
    __m512d x = _mm512_loadu_pd(s), y = _mm512_loadu_pd(s + 8);
    for (int64_t i = 16; i < n; i += 16) { x = _mm512_add_pd(x, _mm512_loadu_pd(s + i)); y = _mm512_add_pd(y, _mm512_loadu_pd(s + i + 8)); }
    x = _mm512_add_pd(x, y);
    const __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));
    return (h[0] + h[2]) + (h[1] + h[3]);
}
#elif defined(__GNUC__) || defined(__clang__)
#define FG_SUM_LANES(real, type) \
    FG_INLINE real sum_lanes_##type(const real* s, int64_t n) { \
        typedef real four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias)); \
        const four* x = (const four*)s; \
        four a = x[0], b = x[1], c = x[2], d = x[3]; \
        for (x += 4; (const real*)x < s + n; x += 4) { a += x[0]; b += x[1]; c += x[2]; d += x[3]; } \
        const four y = (a + c) + (b + d); \
        return (y[0] + y[2]) + (y[1] + y[3]); \
    }
#else
#define FG_SUM_LANES(real, type) \
    FG_INLINE real sum_lanes_##type(const real* s, int64_t n) { \
        real x[16]; \
        memcpy(x, s, sizeof x); \
        for (int64_t i = 16; i < n; i++) x[i % 16] += s[i]; \
        for (int half = 8; half > 0; half /= 2) for (int i = 0; i < half; i++) x[i] += x[i + half]; \
        return x[0]; \
    }
#endif
#if !(defined(__AVX512F__) && defined(__GNUC__))
FG_SUM_LANES(float, f32)
FG_SUM_LANES(double, f64)
#undef FG_SUM_LANES
#endif

/* The largest of n lanes, a multiple of 16, if none is NaN. */
#if defined(__AVX512F__) && defined(__GNUC__)
FG_INLINE float max_lanes_f32(const float* m, int64_t n) {
    __m512 x = _mm512_loadu_ps(m);
    for (int64_t i = 16; i < n; i += 16) x = _mm512_max_ps(x, _mm512_loadu_ps(m + i));
    const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 y = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)), z = _mm_max_ps(y, _mm_movehl_ps(y, y));
    return z[0] > z[1] ? z[0] : z[1];
}
FG_INLINE double max_lanes_f64(const double* m, int64_t n) {
    __m512d x = _mm512_loadu_pd(m);
    for (int64_t i = 8; i < n; i += 8) x = _mm512_max_pd(x, _mm512_loadu_pd(m + i));
    const __m256d h = _mm256_max_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));
    const __m128d y = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return y[0] > y[1] ? y[0] : y[1];
}
#elif defined(__SSE2__) && defined(__GNUC__)
FG_INLINE float max_lanes_f32(const float* m, int64_t n) {
    __m128 x = _mm_loadu_ps(m), y = _mm_loadu_ps(m + 4);
    for (int64_t i = 8; i < n; i += 8) { x = _mm_max_ps(x, _mm_loadu_ps(m + i)); y = _mm_max_ps(y, _mm_loadu_ps(m + i + 4)); }
    x = _mm_max_ps(x, y);
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return x[0] > x[1] ? x[0] : x[1];
}
FG_INLINE double max_lanes_f64(const double* m, int64_t n) {
    __m128d x = _mm_loadu_pd(m), y = _mm_loadu_pd(m + 2);
    for (int64_t i = 4; i < n; i += 4) { x = _mm_max_pd(x, _mm_loadu_pd(m + i)); y = _mm_max_pd(y, _mm_loadu_pd(m + i + 2)); }
    x = _mm_max_pd(x, y);
    return x[0] > x[1] ? x[0] : x[1];
}
#else
#define FG_MAX_LANES(real, type) \
    FG_INLINE real max_lanes_##type(const real* m, int64_t n) { \
        real x[8]; \
        for (int j = 0; j < 8; j++) x[j] = m[j]; \
        for (int64_t i = 8; i < n; i += 8) for (int j = 0; j < 8; j++) x[j] = m[i + j] > x[j] ? m[i + j] : x[j]; \
        for (int j = 0; j < 4; j++) x[j] = x[j + 4] > x[j] ? x[j + 4] : x[j]; \
        for (int j = 0; j < 2; j++) x[j] = x[j + 2] > x[j] ? x[j + 2] : x[j]; \
        return x[1] > x[0] ? x[1] : x[0]; \
    }
FG_MAX_LANES(float, f32)
FG_MAX_LANES(double, f64)
#undef FG_MAX_LANES
#endif

/* Fetch n bytes into the caches; they may lie where no memory is. */
FG_INLINE void fetch_lines(const char* from, int64_t n) {
#if defined(__GNUC__) || defined(__clang__)
    for (int64_t i = 0; i < n; i += 64) __builtin_prefetch(from + i, 0, 3);
#endif
}

/* Read something of every line of n bytes. */
FG_INLINE void touch_lines(const char* from, int64_t n) {
    for (int64_t i = 0; i < n; i += 64) (void)*(const volatile char*)(from + i);
}

/* Copy n bytes past the caches where they are whole lines: a line that is written over need not be read first.  Who made the launch
 * waits for them (fg_end_streams of core/port.h). */
FG_INLINE void copy_past_caches(char* to, const char* from, int64_t n) {
#if defined(__SSE2__)
    if (((size_t)to & 63) == 0) {
        for (; n >= 64; n -= 64, to += 64, from += 64) {
#if defined(__AVX512F__)
            _mm512_stream_si512((void*)to, _mm512_loadu_si512((const void*)from));
#else
            for (int part = 0; part < 64; part += 16) {
                _mm_stream_si128((void*)(to + part), _mm_loadu_si128((const void*)(from + part)));
            }
#endif
        }
    }
#endif
    memcpy(to, from, (size_t)n);
}

#endif
