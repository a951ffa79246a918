/* The register tile of the matrix product: what Cython cannot say (vector registers, fma, masked loads).
 *
 * One body, instantiated for float and double by including this file again, written in the vector extensions of GCC and
 * Clang for whatever instruction set the translation unit is compiled for; without the extensions a vector is one
 * element.  No blocking and no policy here: that is gemm.pxi.
 *
 * Invariant: an element of a tile is acc = fma(a[i,p], b[p,j], acc) for p = 0..k-1 from acc = +0, whatever the tile's
 * size, its place or the layout of a (a*b + acc, rounded twice, where the level has no fma).
 */
#ifndef TILE_REAL
#ifndef FASTGRAD_TILE_H
#define FASTGRAD_TILE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* TILE_ROWS x TILE_VECS accumulators, or DOT_ACCS, fill the register file but for the operands of one step.
 * TILE_MASKED: part of a vector can be read where it lies (2: at no cost).
 * TILE_HALVES: 2 where the last vector of a tile may be of half the width, for columns that fill no more: a processor that takes
 * wide vectors in two halves saves the one that is empty, others lose nothing. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define TILE_BYTES 64
#define TILE_ROWS 8
#define TILE_VECS 3
#define DOT_ROWS 4
#define DOT_ACCS 16
#define TILE_MASKED 2
#define TILE_HALVES 2
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define TILE_BYTES 32
#define TILE_ROWS 6
#define TILE_VECS 2
#define DOT_ROWS 2
#define DOT_ACCS 8
#define TILE_MASKED 1
#elif defined(__aarch64__)
#include <arm_neon.h>
#define TILE_BYTES 16
#define TILE_ROWS 8
#define TILE_VECS 3
#define DOT_ROWS 4
#define DOT_ACCS 16
#define TILE_MASKED 0
#else
#define TILE_BYTES 16
#define TILE_ROWS 6
#define TILE_VECS 2
#define DOT_ROWS 2
#define DOT_ACCS 8
#define TILE_MASKED 0
#endif
#ifndef TILE_HALVES
#define TILE_HALVES 1
#endif

#if defined(__GNUC__)
#define TILE_INLINE static inline __attribute__((always_inline, unused))
#define TILE_VECTOR(real, bytes) __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias))
#define TILE_UNROLL _Pragma("GCC unroll 16")
#define TILE_PREFETCH(p, write) __builtin_prefetch(p, write)
#else
#define TILE_INLINE static inline
#define TILE_VECTOR(real, bytes)
#define TILE_UNROLL
#define TILE_PREFETCH(p, write)
#endif

/* What the tiles of one block share.  Strides are in elements. */
typedef struct {
    int64_t k;
    int64_t a_row, a_col;  /* one of them is 1 */
    int64_t b_row;         /* a row of b is contiguous */
    int64_t c_row;
    int64_t c_col, bias_row, bias_col;  /* of dots; in a tile, columns are contiguous */
    int load_tail;         /* elements that may be read of the last vector of a row of b: all, unless TILE_MASKED */
    int store_tail;        /* elements to write of the last vector of a row of c */
    int accumulate;        /* add to c instead of replacing it */
} Tile;

#if defined(__GNUC__)
#define TILE_TRANSPOSE_4(vec, x) { \
    const vec a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5); \
    const vec c = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7); \
    x[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5); x[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7); \
    x[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5); x[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7); }
#define TILE_TRANSPOSE_2(vec, x) { \
    const vec a = x[0]; \
    x[0] = __builtin_shufflevector(a, x[1], 0, 2); x[1] = __builtin_shufflevector(a, x[1], 1, 3); }
#else
#define TILE_TRANSPOSE_4(vec, x)  /* of one element */
#define TILE_TRANSPOSE_2(vec, x)
#endif

#define TILE_REAL float
#define TILE_TRANSPOSE(vec, x) TILE_TRANSPOSE_4(vec, x)
#define TILE_LOW_HALF(a) __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7)
#define TILE_INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define TILE_INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define TILE_JOIN_HALVES(a, b) \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) \
     + __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define TILE_JOIN_QUARTERS(a, b) \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) \
     + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#define TILE_ADD_WITHIN(x) \
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13); \
    x += __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#define TILE_FIRSTS(x) __builtin_shufflevector(x, x, 0, 4, 8, 12)
#define TILE(name) tile_##name##_f32
#define TILE_X86(bits, name) _mm##bits##_##name##_ps
#define TILE_FMLA vfmaq_f32
#include "tile.h"
#undef TILE_REAL
#undef TILE
#undef TILE_X86
#undef TILE_FMLA
#undef TILE_TRANSPOSE
#undef TILE_LOW_HALF
#undef TILE_JOIN_HALVES
#undef TILE_JOIN_QUARTERS
#undef TILE_ADD_WITHIN
#undef TILE_FIRSTS
#undef TILE_INTERLEAVE_LOW
#undef TILE_INTERLEAVE_HIGH
#define TILE_REAL double
#define TILE_TRANSPOSE(vec, x) TILE_TRANSPOSE_2(vec, x)
#define TILE_LOW_HALF(a) __builtin_shufflevector(a, a, 0, 1, 2, 3)
#define TILE_INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define TILE_INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define TILE_JOIN_HALVES(a, b) \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15))
#define TILE_JOIN_QUARTERS(a, b) \
    (__builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13) + __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15))
#define TILE_ADD_WITHIN(x) x += __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
#define TILE_FIRSTS(x) __builtin_shufflevector(x, x, 0, 2, 4, 6)
#define TILE(name) tile_##name##_f64
#define TILE_X86(bits, name) _mm##bits##_##name##_pd
#define TILE_FMLA vfmaq_f64
#include "tile.h"
#undef TILE_REAL
#undef TILE
#undef TILE_X86
#undef TILE_FMLA
#undef TILE_TRANSPOSE
#undef TILE_LOW_HALF
#undef TILE_JOIN_HALVES
#undef TILE_JOIN_QUARTERS
#undef TILE_ADD_WITHIN
#undef TILE_FIRSTS
#undef TILE_INTERLEAVE_LOW
#undef TILE_INTERLEAVE_HIGH

#endif
#else /* the body, for one type */

typedef TILE_REAL TILE(vec) TILE_VECTOR(TILE_REAL, TILE_BYTES);
typedef TILE_REAL TILE(small) TILE_VECTOR(TILE_REAL, 16);  /* to add up lanes and to transpose */
typedef void (*TILE(function))(const Tile*, const TILE_REAL*, const TILE_REAL*, const TILE_REAL*, TILE_REAL*);
enum { TILE(lanes) = sizeof(TILE(vec)) / sizeof(TILE_REAL) };
#define LANES TILE(lanes)
#define SIZE ((int)(sizeof(TILE(small)) / sizeof(TILE_REAL)))

TILE_INLINE TILE(vec) TILE(splat)(TILE_REAL x) {
    return x - (TILE(vec)){0};  /* not +: -0 + 0 is +0 */
}

TILE_INLINE TILE(vec) TILE(fma)(TILE(vec) a, TILE(vec) b, TILE(vec) c) {
#if defined(__AVX512F__)
    return TILE_X86(512, fmadd)(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
    return TILE_X86(256, fmadd)(a, b, c);
#elif defined(__aarch64__)
    return TILE_FMLA(c, a, b);
#else
    return a * b + c;
#endif
}

/* The first `count` elements, zeros after them; nothing beyond them is touched. */
TILE_INLINE TILE(vec) TILE(load)(const TILE_REAL* p, int count) {
#if TILE_MASKED == 2
    return TILE_X86(512, maskz_loadu)((1u << count) - 1, p);
#elif TILE_MASKED == 1
    static const int64_t on[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
    return TILE_X86(256, maskload)(p, _mm256_loadu_si256((const void*)((const TILE_REAL*)(on + 4) - count)));
#else
    TILE(vec) x = {0};
    memcpy(&x, p, (size_t)count * sizeof(TILE_REAL));
    return x;
#endif
}

TILE_INLINE void TILE(store)(TILE_REAL* p, TILE(vec) x, int count) {
    if (count == LANES) *(TILE(vec)*)p = x;
#if TILE_MASKED == 2
    else TILE_X86(512, mask_storeu)(p, (1u << count) - 1, x);
#else
    else memcpy(p, &x, (size_t)count * sizeof(TILE_REAL));
#endif
}

#if TILE_HALVES == 2
typedef TILE_REAL TILE(half) TILE_VECTOR(TILE_REAL, TILE_BYTES / 2);
TILE_INLINE TILE(half) TILE(half_load)(const TILE_REAL* p, int count) { return TILE_X86(256, maskz_loadu)((1u << count) - 1, p); }
#endif

/* c[rows, vecs*LANES] = a[rows, k] @ b[k, vecs*LANES] (+ bias) (+ c).  by_row: a_col is 1, else a_row is 1.
 * part: the last vector of a row of b may not be read whole.  half: it is half a vector. */
TILE_INLINE void TILE(body)(const int rows, const int vecs, const int by_row, const int half, const int part, const Tile* t,
                            const TILE_REAL* a, const TILE_REAL* b, const TILE_REAL* bias, TILE_REAL* c) {
    TILE(vec) acc[TILE_ROWS][TILE_VECS], b_vec[TILE_VECS];
    const TILE_REAL* row[TILE_ROWS];
    const int64_t k = t->k, b_row = t->b_row, c_row = t->c_row, a_step = by_row ? 0 : t->a_col;
    const int load_tail = t->load_tail, tail = t->store_tail, whole = vecs - half;
#if TILE_HALVES == 2
    TILE(half) half_acc[TILE_ROWS], b_half;
    TILE_UNROLL for (int i = 0; i < rows; i++) half_acc[i] = (TILE(half)){0};
#endif
    TILE_UNROLL for (int i = 0; i < rows; i++) {
        row[i] = a + i * (by_row ? t->a_row : 1);
        TILE_UNROLL for (int j = 0; j < whole; j++) acc[i][j] = (TILE(vec)){0};
    }
    if (k >= 64) {
        TILE_UNROLL for (int i = 0; i < rows; i++) TILE_UNROLL for (int j = 0; j < vecs; j += 64 / TILE_BYTES) {
            TILE_PREFETCH(c + i * c_row + j * LANES, 1);
        }
    }
    for (int64_t p = 0; p < k; p++) {
        TILE_UNROLL for (int j = 0; j < whole; j++) {
            const TILE_REAL* from = b + j * LANES;
            b_vec[j] = part && j == vecs - 1 ? TILE(load)(from, load_tail) : *(const TILE(vec)*)from;
        }
#if TILE_HALVES == 2
        if (half) b_half = TILE(half_load)(b + whole * LANES, load_tail);
#endif
        TILE_UNROLL for (int i = 0; i < rows; i++) {
            const TILE_REAL a_i = by_row ? row[i][p] : a[i];
            const TILE(vec) a_vec = TILE(splat)(a_i);
            TILE_UNROLL for (int j = 0; j < whole; j++) acc[i][j] = TILE(fma)(a_vec, b_vec[j], acc[i][j]);
#if TILE_HALVES == 2
            if (half) {
                TILE(half) a_half;
                if (whole) a_half = TILE_LOW_HALF(a_vec);
                else a_half = a_i - (TILE(half)){0};
                half_acc[i] = TILE_X86(256, fmadd)(a_half, b_half, half_acc[i]);
            }
#endif
        }
        a += a_step;
        b += b_row;
    }
#define EACH TILE_UNROLL for (int i = 0; i < rows; i++) TILE_UNROLL for (int j = 0; j < whole; j++)
#define COUNT (j == vecs - 1 ? tail : LANES)
    if (bias) EACH acc[i][j] += TILE(load)(bias + j * LANES, COUNT);
    if (t->accumulate) EACH acc[i][j] += TILE(load)(c + i * c_row + j * LANES, COUNT);
    if (half || tail == LANES) EACH *(TILE(vec)*)(c + i * c_row + j * LANES) = acc[i][j];
    else EACH TILE(store)(c + i * c_row + j * LANES, acc[i][j], COUNT);
#undef EACH
#undef COUNT
#if TILE_HALVES == 2
    if (half) TILE_UNROLL for (int i = 0; i < rows; i++) {
        TILE_REAL* to = c + i * c_row + whole * LANES;
        if (bias) half_acc[i] += TILE(half_load)(bias + whole * LANES, tail);
        if (t->accumulate) half_acc[i] += TILE(half_load)(to, tail);
        TILE_X86(256, mask_storeu)(to, (1u << tail) - 1, half_acc[i]);
    }
#endif
}

#if TILE_MASKED == 1
#define BODY(...) \
    if (t->load_tail < LANES) TILE(body)(__VA_ARGS__, 1, t, a, b, bias, c); \
    else TILE(body)(__VA_ARGS__, 0, t, a, b, bias, c)
#else
#define BODY(...) TILE(body)(__VA_ARGS__, TILE_MASKED, t, a, b, bias, c)
#endif
#define TILE_OF(rows, vecs, by_row, half) \
    static void TILE(rows##x##vecs##x##by_row##x##half)(const Tile* t, const TILE_REAL* a, const TILE_REAL* b, \
                                                       const TILE_REAL* bias, TILE_REAL* c) { \
        BODY(rows, vecs, by_row, half); \
    }
#if TILE_HALVES == 2
#define EACH_HALF(OF, rows, vecs, by_row) OF(rows, vecs, by_row, 0) OF(rows, vecs, by_row, 1)
#else
#define EACH_HALF(OF, rows, vecs, by_row) OF(rows, vecs, by_row, 0)
#endif
#define EACH_FORM(OF, rows, vecs) EACH_HALF(OF, rows, vecs, 0) EACH_HALF(OF, rows, vecs, 1)
#if TILE_VECS == 3
#define EACH_WIDTH(OF, rows) EACH_FORM(OF, rows, 1) EACH_FORM(OF, rows, 2) EACH_FORM(OF, rows, 3)
#define EACH_TILE(OF) \
    EACH_WIDTH(OF, 1) EACH_WIDTH(OF, 2) EACH_WIDTH(OF, 3) EACH_WIDTH(OF, 4) \
    EACH_WIDTH(OF, 5) EACH_WIDTH(OF, 6) EACH_WIDTH(OF, 7) EACH_WIDTH(OF, 8)
#else
#define EACH_WIDTH(OF, rows) EACH_FORM(OF, rows, 1) EACH_FORM(OF, rows, 2)
#define EACH_TILE(OF) \
    EACH_WIDTH(OF, 1) EACH_WIDTH(OF, 2) EACH_WIDTH(OF, 3) EACH_WIDTH(OF, 4) EACH_WIDTH(OF, 5) EACH_WIDTH(OF, 6)
#endif
EACH_TILE(TILE_OF)
#define ENTRY(rows, vecs, by_row, half) TILE(rows##x##vecs##x##by_row##x##half),
/* [rows-1][vecs-1][by_row][half] */
static const TILE(function) TILE(table)[TILE_ROWS * TILE_VECS * 2 * TILE_HALVES] = {EACH_TILE(ENTRY)};
#undef ENTRY
#undef BODY
#undef TILE_OF
#undef EACH_HALF
#undef EACH_FORM
#undef EACH_WIDTH
#undef EACH_TILE

/* out[k, n] (row stride out_row) = in[n, k].T (row stride in_row), by blocks of four by four that fit registers. */
static void TILE(transpose_small)(int64_t n, int64_t k, const TILE_REAL* in, int64_t in_row, TILE_REAL* out, int64_t out_row) {
    int64_t i = 0;
    enum { LINE = 64 / sizeof(TILE_REAL) };
    for (; i + SIZE <= n; i += SIZE) {
        const TILE_REAL* from = in + i * in_row;
        TILE_REAL* to = out + i;
        int64_t p = 0;
        for (; p + SIZE <= k; p += SIZE) {
            TILE(small) x[SIZE];
            if (p % LINE == 0) {
                TILE_UNROLL for (int r = 0; r < SIZE; r++) TILE_PREFETCH(from + (n + r) * in_row + p, 0);
            }
            TILE_UNROLL for (int r = 0; r < SIZE; r++) x[r] = *(const TILE(small)*)(from + r * in_row + p);
            TILE_TRANSPOSE(TILE(small), x)
            TILE_UNROLL for (int r = 0; r < SIZE; r++) *(TILE(small)*)(to + (p + r) * out_row) = x[r];
        }
        for (; p < k; p++) {
            TILE_UNROLL for (int r = 0; r < SIZE; r++) to[p * out_row + r] = from[r * in_row + p];
        }
    }
    for (; i < n; i++) {
        for (int64_t p = 0; p < k; p++) out[p * out_row + i] = in[i * in_row + p];
    }
}

#if TILE_MASKED == 2
/* out[LANES, n] = in[n, LANES].T, n at most LANES: each round interleaves the first half of the rows with the second. */
TILE_INLINE void TILE(turn)(int n, const TILE_REAL* in, int64_t in_row, TILE_REAL* out, int64_t out_row) {
    TILE(vec) x[LANES], y[LANES];
    TILE_UNROLL for (int i = 0; i < LANES; i++) x[i] = i < n ? *(const TILE(vec)*)(in + i * in_row) : (TILE(vec)){0};
    TILE_UNROLL for (int round = 1; round < LANES; round *= 2) {
        TILE_UNROLL for (int i = 0; i < LANES / 2; i++) {
            y[2 * i] = TILE_INTERLEAVE_LOW(x[i], x[i + LANES / 2]);
            y[2 * i + 1] = TILE_INTERLEAVE_HIGH(x[i], x[i + LANES / 2]);
        }
        TILE_UNROLL for (int i = 0; i < LANES; i++) x[i] = y[i];
    }
    TILE_UNROLL for (int i = 0; i < LANES; i++) TILE(store)(out + i * out_row, x[i], n);
}
#endif

/* The same, by larger blocks where vectors are as wide as a line of the cache. */
static void TILE(transpose)(int64_t n, int64_t k, const TILE_REAL* in, int64_t in_row, TILE_REAL* out, int64_t out_row) {
#if TILE_MASKED == 2
    for (int64_t i = 0; i < n; i += LANES) {
        const int rows = n - i < LANES ? (int)(n - i) : LANES;
        int64_t p = 0;
        if (rows == LANES) {
            for (; p + LANES <= k; p += LANES) TILE(turn)(LANES, in + i * in_row + p, in_row, out + p * out_row + i, out_row);
        } else if (rows > 4) {
            for (; p + LANES <= k; p += LANES) TILE(turn)(rows, in + i * in_row + p, in_row, out + p * out_row + i, out_row);
        }
        if (p < k) TILE(transpose_small)(rows, k - p, in + i * in_row + p, in_row, out + p * out_row + i, out_row);
    }
#else
    TILE(transpose_small)(n, k, in, in_row, out, out_row);
#endif
}

/* in[k, n] (row stride in_row) into panels of columns, one after the other, each stored by rows: `wider` of
 * (each + 1) * unit columns, the rest of each * unit, zeros in those after n.  Row by row of in: pages are met in order. */
static void TILE(copy)(int64_t k, int64_t n, const TILE_REAL* in, int64_t in_row, TILE_REAL* out, int64_t each,
                       int64_t wider, int64_t unit) {
    for (int64_t p = 0; p < k; p++, in += in_row) {
        int64_t first = 0, panel = 0;
        for (; first < n; panel++) {
            const int64_t width = (each + (panel < wider)) * unit, count = n - first < width ? n - first : width;
            const TILE_REAL* from = in + first;
            TILE_REAL* to = out + first * k + p * width;
            int64_t j = 0;
            for (; j < count; j += 64 / (int)sizeof(TILE_REAL)) TILE_PREFETCH(from + 2 * in_row + j, 0);
            for (j = 0; j + LANES <= count; j += LANES) *(TILE(vec)*)(to + j) = *(const TILE(vec)*)(from + j);
            if (j < width) {
                const TILE(vec) rest = TILE(load)(from + j, (int)(count - j));
                TILE(store)(to + j, rest, width - j < LANES ? (int)(width - j) : LANES);
            }
            first += width;
        }
    }
}

/* sum[j] = fma(x[r], in[r,j], sum[j]) for r = 0..rows-1 in turn. */
TILE_INLINE void TILE(axpy_body)(const int rows, int64_t n, const TILE_REAL* x, int64_t x_step, const TILE_REAL* in,
                                 int64_t in_row, TILE_REAL* sum) {
    TILE(vec) x_vec[8];
    int64_t j = 0;
    TILE_UNROLL for (int r = 0; r < rows; r++) x_vec[r] = TILE(splat)(x[r * x_step]);
    for (; j + LANES <= n; j += LANES) {
        TILE(vec) acc = *(TILE(vec)*)(sum + j);
        TILE_UNROLL for (int r = 0; r < rows; r++) {
            acc = TILE(fma)(x_vec[r], *(const TILE(vec)*)(in + r * in_row + j), acc);
        }
        *(TILE(vec)*)(sum + j) = acc;
    }
    if (j < n) {
        TILE(vec) acc = TILE(load)(sum + j, (int)(n - j));
        TILE_UNROLL for (int r = 0; r < rows; r++) {
            acc = TILE(fma)(x_vec[r], TILE(load)(in + r * in_row + j, (int)(n - j)), acc);
        }
        TILE(store)(sum + j, acc, (int)(n - j));
    }
}

/* sum[n] += x[k] @ in[k, n] by rows of in. */
static void TILE(axpy)(int64_t n, int64_t k, const TILE_REAL* x, int64_t x_step, const TILE_REAL* in, int64_t in_row,
                       TILE_REAL* sum) {
    int64_t p = 0;
    for (; p + 8 <= k; p += 8) TILE(axpy_body)(8, n, x + p * x_step, x_step, in + p * in_row, in_row, sum);
    if (k & 4) { TILE(axpy_body)(4, n, x + p * x_step, x_step, in + p * in_row, in_row, sum); p += 4; }
    if (k & 2) { TILE(axpy_body)(2, n, x + p * x_step, x_step, in + p * in_row, in_row, sum); p += 2; }
    if (k & 1) TILE(axpy_body)(1, n, x + p * x_step, x_step, in + p * in_row, in_row, sum);
}

/* sum[n] = the lanes of each `step`-th vector of x, added up by halves.  n is 1 or 4. */
TILE_INLINE void TILE(add_lanes)(const int n, const int step, const TILE(vec)* x, TILE_REAL* sum) {
#if TILE_MASKED == 2
    if (n == 4) {
        const TILE(vec) ab = TILE_JOIN_HALVES(x[0], x[step]), cd = TILE_JOIN_HALVES(x[2 * step], x[3 * step]);
        TILE(vec) each = TILE_JOIN_QUARTERS(ab, cd);
        TILE_ADD_WITHIN(each)
        const TILE_REAL four TILE_VECTOR(TILE_REAL, 4 * sizeof(TILE_REAL)) = TILE_FIRSTS(each);
        memcpy(sum, &four, sizeof four);
        return;
    }
#endif
    TILE(small) part[4];
    TILE_UNROLL for (int j = 0; j < n; j++) {
        union { TILE(vec) whole; TILE(small) part[sizeof(TILE(vec)) / sizeof(TILE(small))]; } lanes;
        lanes.whole = x[j * step];
        TILE_UNROLL for (int half = sizeof(lanes) / sizeof(TILE(small)) / 2; half > 0; half /= 2) {
            TILE_UNROLL for (int v = 0; v < half; v++) lanes.part[v] += lanes.part[v + half];
        }
        part[j] = lanes.part[0];
    }
    TILE_UNROLL for (int j = 0; j < n; j += SIZE) {
        if (n == 4) {
            TILE_TRANSPOSE(TILE(small), (part + j))
            TILE_UNROLL for (int half = SIZE / 2; half > 0; half /= 2) {
                TILE_UNROLL for (int v = 0; v < half; v++) part[j + v] += part[j + v + half];
            }
            *(TILE(small)*)(sum + j) = part[j];
        } else {
            TILE_REAL lane[SIZE];
            memcpy(lane, part, sizeof lane);
            TILE_UNROLL for (int half = SIZE / 2; half > 0; half /= 2) {
                TILE_UNROLL for (int v = 0; v < half; v++) lane[v] += lane[v + half];
            }
            sum[0] = lane[0];
        }
    }
}

/* c[m, n] = x[m, k] . y[n, k] (+ bias) (+ c).  Element p of the products goes to accumulator p mod vecs*LANES, and these
 * are added up by halves.  n is 1 or 4. */
TILE_INLINE void TILE(dot_body)(const int m, const int n, const int vecs, const Tile* t, const TILE_REAL* x,
                                const TILE_REAL* y, const TILE_REAL* bias, TILE_REAL* c) {
    TILE(vec) acc[DOT_ACCS];
    const int64_t k = t->k, x_row = t->a_row, y_row = t->b_row, c_row = t->c_row, c_col = t->c_col;
    const int accumulate = t->accumulate;
    int64_t p = 0;
#define ACC(i, j, v) acc[((i) * n + (j)) * vecs + (v)]
#define EACH(body) \
    TILE_UNROLL for (int v = 0; v < vecs; v++) { \
        TILE(vec) y_vec[4]; \
        TILE_UNROLL for (int j = 0; j < n; j++) y_vec[j] = body(y + j * y_row); \
        TILE_UNROLL for (int i = 0; i < m; i++) { \
            const TILE(vec) x_vec = body(x + i * x_row); \
            TILE_UNROLL for (int j = 0; j < n; j++) ACC(i, j, v) = TILE(fma)(x_vec, y_vec[j], ACC(i, j, v)); \
        } \
    }
#define WHOLE(from) *(const TILE(vec)*)((from) + p + v * LANES)
#define REST(from) TILE(load)((from) + p + v * LANES, k - p - v * LANES < LANES ? (int)(k - p - v * LANES) : LANES)
    TILE_UNROLL for (int i = 0; i < m * n * vecs; i++) acc[i] = (TILE(vec)){0};
    for (; p + vecs * LANES <= k; p += vecs * LANES) EACH(WHOLE)
    if (vecs == 1) {
        if (p < k) EACH(REST)
    } else {
        TILE_UNROLL for (int w = 0; w < vecs; w++) {
            if (p + w * LANES < k) {
                const int count = k - p - w * LANES < LANES ? (int)(k - p - w * LANES) : LANES;
                TILE_UNROLL for (int i = 0; i < m; i++) TILE_UNROLL for (int j = 0; j < n; j++) {
                    ACC(i, j, w) = TILE(fma)(TILE(load)(x + i * x_row + p + w * LANES, count),
                                             TILE(load)(y + j * y_row + p + w * LANES, count), ACC(i, j, w));
                }
            }
        }
    }
#undef WHOLE
#undef REST
#undef EACH
    TILE_UNROLL for (int i = 0; i < m; i++) {
        TILE_REAL sum[4];
        TILE_UNROLL for (int j = 0; j < n; j++) {
            TILE_UNROLL for (int half = vecs / 2; half > 0; half /= 2) {
                TILE_UNROLL for (int v = 0; v < half; v++) ACC(i, j, v) += ACC(i, j, v + half);
            }
        }
        TILE(add_lanes)(n, vecs, &ACC(i, 0, 0), sum);
        TILE_UNROLL for (int j = 0; j < n; j++) {
            TILE_REAL* to = c + i * c_row + j * c_col;
            if (bias) sum[j] += bias[i * t->bias_row + j * t->bias_col];
            if (accumulate) sum[j] += *to;
            *to = sum[j];
        }
    }
#undef ACC
}

/* For any n, and m of 1, 2 or DOT_ROWS. */
static void TILE(dots)(int m, int64_t n, const Tile* t, const TILE_REAL* x, const TILE_REAL* y, const TILE_REAL* bias,
                       TILE_REAL* c) {
    int64_t j = 0;
    for (; j < n; ) {
        const TILE_REAL* y_j = y + j * t->b_row;
        const TILE_REAL* bias_j = bias ? bias + j * t->bias_col : bias;
        TILE_REAL* c_j = c + j * t->c_col;
        if (n - j < 4) {
            for (int i = 0; i < m; i++) {
                TILE(dot_body)(1, 1, 4, t, x + i * t->a_row, y_j, bias ? bias_j + i * t->bias_row : bias,
                               c_j + i * t->c_row);
            }
            j += 1;
            continue;
        }
        if (m == 1 && t->k <= 4 * LANES) TILE(dot_body)(1, 4, 1, t, x, y_j, bias_j, c_j);
        else if (m == 1) TILE(dot_body)(1, 4, DOT_ACCS / 4, t, x, y_j, bias_j, c_j);
#if DOT_ROWS == 4
        else if (m == 2) TILE(dot_body)(2, 4, DOT_ACCS / 8, t, x, y_j, bias_j, c_j);
#endif
        else TILE(dot_body)(DOT_ROWS, 4, DOT_ACCS / (4 * DOT_ROWS), t, x, y_j, bias_j, c_j);
        j += 4;
    }
}
#undef LANES
#undef SIZE
#endif
