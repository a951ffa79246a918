/* Windows over images: moving runs of elements between an image and the columns its windows see, and convolutions of one
 * channel straight from the image.  What Cython cannot say: masked loads and vector accumulators; which windows, and in which
 * order, is convolution.pxi's and pooling.pxi's.  One body, instantiated for float and double by including this file again, as tile.h is.
 *
 * Invariant: an element outside of the image is read as zero and never touched.
 */
#ifndef TILE_REAL
#ifndef FASTGRAD_WINDOW_H
#define FASTGRAD_WINDOW_H

#include "tile.h"

/* The lanes of a vector in which a tap sees the image; masks of the elements that are read, of one vector or of two. */
typedef struct {
    int low, high;
    uint32_t first, second;
} WindowSpan;

enum { WINDOW_TAPS = 64 };  /* of a row of the window, at most, for what is called with taps */

/* One tap along the last dimension over the elements of a row: those from `low` to `high` lie inside of the image, offset further. */
typedef struct {
    int64_t offset, low, high;
} WindowTap;

#define TILE_REAL float
#define TILE_INDEX int32_t
#define TILE(name) tile_##name##_f32
#define TILE_X86(bits, name) _mm##bits##_##name##_ps
#define TILE_MASK __mmask16
#define TILE_COMPARE _mm512_cmp_ps_mask
#if TILE_BYTES == 64
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#elif TILE_BYTES == 32
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3, 5, 7)
#endif
#include "window.h"
#undef TILE_REAL
#undef TILE_INDEX
#undef TILE
#undef TILE_X86
#undef TILE_MASK
#undef TILE_COMPARE
#undef TILE_EVEN
#undef TILE_ODD
#define TILE_REAL double
#define TILE_INDEX int64_t
#define TILE(name) tile_##name##_f64
#define TILE_X86(bits, name) _mm##bits##_##name##_pd
#define TILE_MASK __mmask8
#define TILE_COMPARE _mm512_cmp_pd_mask
#if TILE_BYTES == 64
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15)
#elif TILE_BYTES == 32
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3, 5, 7)
#else
#define TILE_EVEN(low, high) __builtin_shufflevector(low, high, 0, 2)
#define TILE_ODD(low, high) __builtin_shufflevector(low, high, 1, 3)
#endif
#include "window.h"
#undef TILE_REAL
#undef TILE_INDEX
#undef TILE
#undef TILE_X86
#undef TILE_MASK
#undef TILE_COMPARE
#undef TILE_EVEN
#undef TILE_ODD

#endif
#else /* the body, for one type */

#define LANES TILE(lanes)

/* p[low] to p[high - 1] in their lanes, zeros in the others; 0 <= low < high <= LANES. */
TILE_INLINE TILE(vec) TILE(load_range)(const TILE_REAL* p, int low, int high) {
#if TILE_MASKED == 2
    return TILE_X86(512, maskz_loadu)(((1u << high) - 1) & ~((1u << low) - 1), p);
#elif TILE_MASKED == 1
    static const int64_t on[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
    const TILE_REAL* first_off = (const TILE_REAL*)(on + 4);
    return TILE_X86(256, maskload)(p, _mm256_andnot_si256(_mm256_loadu_si256((const void*)(first_off - low)),
                                                          _mm256_loadu_si256((const void*)(first_off - high))));
#else
    TILE_REAL lane[LANES];
    TILE(vec) x;
    for (int i = 0; i < LANES; i++) lane[i] = 0;
    for (int i = low; i < high; i++) lane[i] = p[i];
    memcpy(&x, lane, sizeof x);
    return x;
#endif
}

TILE_INLINE int TILE(lane)(int64_t i) { return i < 0 ? 0 : i > LANES ? LANES : (int)i; }

TILE_INLINE WindowSpan TILE(span)(const WindowTap* tap, int64_t x, int step) {
    const int low = TILE(lane)(tap->low - x), high = TILE(lane)(tap->high - x);
    const int start = low * step, end = (high - 1) * step + 1;
    WindowSpan s = {low, high, 0, 0};
    if (low < high) {
        const uint64_t mask = (((uint64_t)1 << end) - 1) & ~(((uint64_t)1 << start) - 1);
        s.first = (uint32_t)(mask & (((uint64_t)1 << LANES) - 1));
        s.second = (uint32_t)(mask >> LANES);
    }
    return s;
}

/* p[lane * step] in the lanes of a span, zeros in the others; step is 1 or 2. */
TILE_INLINE TILE(vec) TILE(load_span)(const TILE_REAL* p, const WindowSpan* s, const int step) {
#if TILE_MASKED == 2
    static const TILE_INDEX even[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    const TILE(vec) x = TILE_X86(512, maskz_loadu)(s->first, p);
    if (step == 1) return x;
    return TILE_X86(512, permutex2var)(x, _mm512_loadu_si512((const void*)even), TILE_X86(512, maskz_loadu)(s->second, p + LANES));
#else
    TILE_REAL lane[LANES];
    TILE(vec) x;
    if (step == 1) return TILE(load_range)(p, s->low, s->high);
    for (int i = 0; i < LANES; i++) lane[i] = 0;
    for (int i = s->low; i < s->high; i++) lane[i] = p[i * step];
    memcpy(&x, lane, sizeof x);
    return x;
#endif
}

/* out[rows, width]: of each row `before` zeros, `count` elements of the image (a row every in_row, an element every in_step),
 * and zeros. */
static void TILE(take)(int64_t rows, int64_t width, int64_t before, int64_t count, const TILE_REAL* in, int64_t in_row,
                       int64_t in_step, TILE_REAL* out) {
    if (in_step == 1) {
        for (int64_t j = 0; j < width; j += LANES) {
            const int low = TILE(lane)(before - j), high = TILE(lane)(before + count - j), all = TILE(lane)(width - j);
            const TILE_REAL* from = in + j - before;
            TILE_REAL* to = out + j;
            if (low == 0 && high == LANES) {
                for (int64_t r = 0; r < rows; r++) *(TILE(vec)*)(to + r * width) = *(const TILE(vec)*)(from + r * in_row);
            } else if (high <= low) {
                for (int64_t r = 0; r < rows; r++) TILE(store)(to + r * width, (TILE(vec)){0}, all);
#if TILE_MASKED
            } else {
                for (int64_t r = 0; r < rows; r++) TILE(store)(to + r * width, TILE(load_range)(from + r * in_row, low, high), all);
            }
#else
            } else {
                for (int64_t r = 0; r < rows; r++) {
                    for (int i = 0; i < low; i++) to[r * width + i] = 0;
                    for (int i = low; i < high; i++) to[r * width + i] = from[r * in_row + i];
                    for (int i = high; i < all; i++) to[r * width + i] = 0;
                }
            }
#endif
        }
        return;
    }
    for (int64_t r = 0; r < rows; r++, in += in_row, out += width) {
        for (int64_t i = 0; i < before; i++) out[i] = 0;
        if (in_step == 2) for (int64_t i = 0; i < count; i++) out[before + i] = in[2 * i];
        else if (in_step == 4) for (int64_t i = 0; i < count; i++) out[before + i] = in[4 * i];
        else for (int64_t i = 0; i < count; i++) out[before + i] = in[i * in_step];
        for (int64_t i = before + count; i < width; i++) out[i] = 0;
    }
}

/* What some taps of one row of the window see at rows of places, a tap every `pitch` of out: rows of zeros above and below of the
 * image, whose rows (every in_row) begin at place 0 of tap 0 but for its offset.  Places of a tap from low to high are taken. */
static void TILE(take_taps)(int64_t taps, const WindowTap* tap, int64_t above, int64_t rows, int64_t below, int64_t width,
                            const TILE_REAL* in, int64_t in_row, int64_t in_step, TILE_REAL* out, int64_t pitch) {
    for (int64_t t = 0; t < taps; t++, out += pitch) {
        const TILE_REAL* from = in + tap[t].offset;
        TILE_REAL* to = out + above * width;
        const int64_t low = tap[t].low, high = tap[t].high;
        if (above) memset(out, 0, (size_t)(above * width) * sizeof(TILE_REAL));
        if (below) memset(to + rows * width, 0, (size_t)(below * width) * sizeof(TILE_REAL));
        if (in_step == 1 && width == LANES / 2 && low == 0 && high == width) {
            for (int64_t r = 0; r < rows; r++) memcpy(to + r * width, from + r * in_row, LANES / 2 * sizeof(TILE_REAL));
#if TILE_MASKED == 2
        } else if (in_step == 1 && width <= LANES && low < high) {
            for (int64_t r = 0; r < rows; r++) TILE(store)(to + r * width, TILE(load_range)(from + r * in_row, (int)low, (int)high), (int)width);
#endif
        } else {
            TILE(take)(rows, width, low, high - low, from + low * in_step, in_row, in_step, to);
        }
    }
}

/* The transpose of taking, for all taps of one row of the window, which begin `pitch` apart in `in` and whose rows of places are
 * `width` apart, of which those from low to high count: image[rows, size] += in.  Place i of a tap is pixel i + offset of a row. */
static void TILE(give)(int64_t rows, int64_t width, int64_t taps, const WindowTap* tap, const TILE_REAL* in, int64_t pitch,
                       TILE_REAL* image, int64_t image_row, int64_t size) {
    WindowSpan span[WINDOW_TAPS];
    const TILE_REAL* from[WINDOW_TAPS];
    for (int64_t x = 0; x < size; x += LANES) {
        const int all = TILE(lane)(size - x);
        int64_t met = 0;
        for (int64_t t = 0; t < taps; t++) {
            const WindowTap pixels = {0, tap[t].low + tap[t].offset, tap[t].high + tap[t].offset};
            span[met] = TILE(span)(&pixels, x, 1);
            from[met] = in + t * pitch + x - tap[t].offset;
            met += span[met].low < span[met].high;
        }
        if (!met) continue;
        for (int64_t r = 0; r < rows; r++) {
            TILE_REAL* to = image + r * image_row + x;
            TILE(vec) acc = TILE(load)(to, all);
            for (int64_t t = 0; t < met; t++) acc += TILE(load_span)(from[t] + r * width, span + t, 1);
            TILE(store)(to, acc, all);
        }
    }
}

/* The same for one tap, pixels of which are `step` apart: image[rows, count] += in. */
static void TILE(give_apart)(int64_t rows, int64_t width, int64_t count, const TILE_REAL* in, TILE_REAL* image, int64_t image_row,
                             int64_t step) {
    for (int64_t r = 0; r < rows; r++, in += width, image += image_row) {
        if (step == 2) for (int64_t i = 0; i < count; i++) image[2 * i] += in[i];
        else for (int64_t i = 0; i < count; i++) image[i * step] += in[i];
    }
}

/* out[q, width] += the sum over the window's rows and taps of weight * image: fma in this order.  The image has `size` rows of
 * `pitch`; place (y, x) sees its rows y down + r between + first, from pixel x across on. */
TILE_INLINE void TILE(window_plane_of)(int64_t q, int64_t width, int64_t rows, const int64_t taps, const WindowTap* tap,
                                       const TILE_REAL* weight, const TILE_REAL* image, int64_t size, int64_t pitch, int64_t down,
                                       const int across, int64_t between, int64_t first, TILE_REAL* out) {
    WindowSpan span[WINDOW_TAPS];
    for (int64_t x = 0; x < width; x += LANES) {
        const int all = TILE(lane)(width - x);
        int whole = across == 1;
        for (int64_t t = 0; t < taps; t++) {
            span[t] = TILE(span)(tap + t, x, across);
            whole &= span[t].low == 0 && span[t].high == LANES;
        }
        for (int64_t y = 0; y < q; y++) {
            TILE(vec) acc = TILE(load)(out + y * width + x, all);
            for (int64_t r = 0; r < rows; r++) {
                const int64_t at = y * down + r * between + first;
                const TILE_REAL* from = image + at * pitch + x * across;
                const TILE_REAL* w = weight + r * taps;
                if (at < 0 || at >= size) continue;
                if (whole) {
                    for (int64_t t = 0; t < taps; t++) acc = TILE(fma)(TILE(splat)(w[t]), *(const TILE(vec)*)(from + tap[t].offset), acc);
                    continue;
                }
                for (int64_t t = 0; t < taps; t++) {
                    if (span[t].low < span[t].high) {
                        acc = TILE(fma)(TILE(splat)(w[t]), TILE(load_span)(from + tap[t].offset, span + t, across), acc);
                    }
                }
            }
            TILE(store)(out + y * width + x, acc, all);
        }
    }
}

static void TILE(window_plane)(int64_t q, int64_t width, int64_t rows, int64_t taps, const WindowTap* tap, const TILE_REAL* weight,
                               const TILE_REAL* image, int64_t size, int64_t pitch, int64_t down, int64_t across, int64_t between,
                               int64_t first, TILE_REAL* out) {
#define PLANE(taps, across) \
    TILE(window_plane_of)(q, width, rows, taps, tap, weight, image, size, pitch, down, across, between, first, out)
    if (across == 2 && taps == 3) PLANE(3, 2);
    else if (across == 2) PLANE(taps, 2);
    else if (taps == 3) PLANE(3, 1);
    else PLANE(taps, 1);
#undef PLANE
}

/* sum[t * LANES + lane] += grad * image over rows, for `taps` taps of one row of the window; place x sees pixel x across on. */
TILE_INLINE void TILE(window_dots)(const int taps, int64_t rows, int64_t width, const TILE_REAL* grad, int64_t grad_row,
                                   const TILE_REAL* image, int64_t image_row, const int across, const WindowTap* tap, TILE_REAL* sum) {
    TILE(vec) acc[4];
    TILE_UNROLL for (int t = 0; t < taps; t++) acc[t] = *(TILE(vec)*)(sum + t * LANES);
    for (int64_t x = 0; x < width; x += LANES) {
        WindowSpan span[4];
        TILE_UNROLL for (int t = 0; t < taps; t++) span[t] = TILE(span)(tap + t, x, across);
        for (int64_t r = 0; r < rows; r++) {
            const TILE(vec) g = TILE(load)(grad + r * grad_row + x, TILE(lane)(width - x));
            TILE_UNROLL for (int t = 0; t < taps; t++) {
                if (span[t].low < span[t].high) {
                    acc[t] = TILE(fma)(g, TILE(load_span)(image + r * image_row + x * across + tap[t].offset, span + t, across), acc[t]);
                }
            }
        }
    }
    TILE_UNROLL for (int t = 0; t < taps; t++) *(TILE(vec)*)(sum + t * LANES) = acc[t];
}

static void TILE(window_sums)(int64_t taps, int64_t rows, int64_t width, const TILE_REAL* grad, int64_t grad_row,
                              const TILE_REAL* image, int64_t image_row, int64_t across, const WindowTap* tap, TILE_REAL* sum) {
#define DOTS(n) \
    if (across == 2) TILE(window_dots)(n, rows, width, grad, grad_row, image, image_row, 2, tap, sum); \
    else TILE(window_dots)(n, rows, width, grad, grad_row, image, image_row, 1, tap, sum);
    for (; taps >= 4; taps -= 4, tap += 4, sum += 4 * LANES) { DOTS(4) }
    if (taps == 3) { DOTS(3) }
    else if (taps == 2) { DOTS(2) }
    else if (taps == 1) { DOTS(1) }
#undef DOTS
}

typedef TILE_INDEX TILE(places) TILE_VECTOR(TILE_INDEX, TILE_BYTES);

/* out[r * out_row + i / step + i % step * part] = in[r * in_row + i] of rows of `count`: elements `step` apart become neighbours.
 * Nothing from `limit` on is read. */
TILE_INLINE void TILE(split_of)(int64_t rows, int64_t count, const TILE_REAL* in, int64_t in_row, const TILE_REAL* limit,
                                const int64_t step, TILE_REAL* out, int64_t out_row, int64_t part) {
    for (int64_t r = 0; r < rows; r++, in += in_row, out += out_row) {
        int64_t i = 0, k = 0;
        if (step == 1) {
            memcpy(out, in, (size_t)count * sizeof(TILE_REAL));
            continue;
        }
#if defined(__GNUC__)
        if (step == 2) {
            for (; i + 2 * LANES <= count; i += 2 * LANES, k += LANES) {
                const TILE(vec) low = *(const TILE(vec)*)(in + i), high = *(const TILE(vec)*)(in + i + LANES);
                *(TILE(vec)*)(out + k) = TILE_EVEN(low, high);
                *(TILE(vec)*)(out + part + k) = TILE_ODD(low, high);
            }
            if (i < count && limit - (in + i) >= 2 * LANES) {
                const TILE(vec) low = *(const TILE(vec)*)(in + i), high = *(const TILE(vec)*)(in + i + LANES);
                TILE(store)(out + k, TILE_EVEN(low, high), (int)((count - i + 1) / 2));
                TILE(store)(out + part + k, TILE_ODD(low, high), (int)((count - i) / 2));
                continue;
            }
        }
#endif
        for (; i < count; i += step, k++) {
            for (int64_t j = 0; j < step && i + j < count; j++) out[k + j * part] = in[i + j];
        }
    }
}

static void TILE(split)(int64_t rows, int64_t count, const TILE_REAL* in, int64_t in_row, const TILE_REAL* limit, int64_t step,
                        TILE_REAL* out, int64_t out_row, int64_t part) {
    if (step == 1) TILE(split_of)(rows, count, in, in_row, limit, 1, out, out_row, part);
    else if (step == 2) TILE(split_of)(rows, count, in, in_row, limit, 2, out, out_row, part);
    else if (step == 3) TILE(split_of)(rows, count, in, in_row, limit, 3, out, out_row, part);
    else TILE(split_of)(rows, count, in, in_row, limit, step, out, out_row, part);
}

/* best, place = x, at + offset where x is larger, or NaN. */
TILE_INLINE void TILE(larger)(TILE(vec)* best, TILE(places)* place, TILE(vec) x, TILE(places) at, TILE_INDEX offset) {
#if TILE_MASKED == 2
    const TILE_MASK take = (TILE_MASK)(TILE_COMPARE(x, *best, _CMP_GT_OQ) | TILE_COMPARE(x, x, _CMP_UNORD_Q));
    *best = TILE_X86(512, mask_mov)(*best, take, x);
    *place = (TILE(places))TILE_X86(512, mask_mov)((TILE(vec))*place, take, (TILE(vec))(at + offset));
#elif TILE_MASKED == 1
    const TILE(vec) take = (TILE(vec))((TILE(places))(x > *best) | (TILE(places))(x != x));
    *best = TILE_X86(256, blendv)(*best, x, take);
    *place = (TILE(places))TILE_X86(256, blendv)((TILE(vec))*place, (TILE(vec))(at + offset), take);
#elif defined(__GNUC__)
    const TILE(places) take = (TILE(places))(x > *best) | (TILE(places))(x != x);
    *best = (TILE(vec))(((TILE(places))x & take) | ((TILE(places))*best & ~take));
    *place = ((at + offset) & take) | (*place & ~take);
#else
    if (x > *best || x != x) {
        *best = x;
        *place = at + offset;
    }
#endif
}

/* to[i] = place[i], of `count` places. */
TILE_INLINE void TILE(store_places)(int64_t* to, TILE(places) place, int count) {
    TILE_INDEX lane[LANES];
#if TILE_MASKED == 2
    if (sizeof(TILE_INDEX) == 4) {
        const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256((__m512i)place));
        const __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64((__m512i)place, 1));
        _mm512_mask_storeu_epi64(to, (__mmask8)((1u << count) - 1), low);
        if (count > 8) _mm512_mask_storeu_epi64(to + 8, (__mmask8)(((1u << count) - 1) >> 8), high);
        return;
    }
#endif
    memcpy(lane, &place, sizeof lane);
    if (count == LANES) TILE_UNROLL for (int i = 0; i < LANES; i++) to[i] = lane[i];
    else for (int i = 0; i < count; i++) to[i] = lane[i];
}

/* The largest element that each of rows of places sees, and where in the image it is.  Tap t of place x sees seen[offset[t] + x], whose
 * place is at + pixel[t] + x * across; from row to row, both go on by seen_row and down.  start: places of what is first seen, if it is
 * not the first tap.  Vectors are read beyond the width. */
TILE_INLINE void TILE(largest_of)(int64_t rows, int64_t width, const int64_t taps, const int64_t* offset, const int64_t* pixel,
                                  const TILE_REAL* seen, int64_t seen_row, int64_t at, int64_t across, int64_t down,
                                  const TILE_INDEX* start, TILE_REAL* best, int64_t* where, int64_t out_row) {
    TILE(places) apart;
    TILE_INDEX lane[LANES];
    for (int i = 0; i < LANES; i++) lane[i] = (TILE_INDEX)(i * across);
    memcpy(&apart, lane, sizeof apart);
    for (int64_t r = 0; r < rows; r++, seen += seen_row, at += down, best += out_row, where += out_row) {
        for (int64_t x = 0; x < width; x += LANES) {
            const int count = width - x < LANES ? (int)(width - x) : LANES;
            const TILE(places) from = apart + (TILE_INDEX)(at + x * across);
            TILE(vec) b = TILE(splat)((TILE_REAL)-INFINITY);
            TILE(places) p = from + (TILE_INDEX)pixel[0];
            if (start) p = *(const TILE(places)*)(start + r * width + x);
            for (int64_t t = 0; t < taps; t++) {
                TILE(larger)(&b, &p, *(const TILE(vec)*)(seen + offset[t] + x), from, (TILE_INDEX)pixel[t]);
            }
            TILE(store)(best + x, b, count);
            TILE(store_places)(where + x, p, count);
        }
    }
}

static void TILE(largest)(int64_t rows, int64_t width, int64_t taps, const int64_t* offset, const int64_t* pixel, const TILE_REAL* seen,
                          int64_t seen_row, int64_t at, int64_t across, int64_t down, const TILE_INDEX* start, TILE_REAL* best,
                          int64_t* where, int64_t out_row) {
#define LARGEST(taps) \
    TILE(largest_of)(rows, width, taps, offset, pixel, seen, seen_row, at, across, down, start, best, where, out_row)
    if (taps == 4) LARGEST(4);
    else LARGEST(taps);
#undef LARGEST
}

#undef LANES
#endif
