/* Convolutions of small images whose vectors run over the images of a batch, so that they are full whatever the window and the
 * image are.  What Cython cannot say: register tiles with fma; which blocks, and in which order, is convolution_lanes.pxi's.  One
 * body, instantiated for float and double by including this file again, as tile.h is.
 *
 * Layout: [channels, pixels, width], `width` images side by side, a multiple of a vector's lanes.  Invariant: an element of a result
 * is acc = fma(weight, image, acc) over channels and taps in their order from acc = +0, whatever the tile.
 */
#ifndef TILE_REAL
#ifndef FASTGRAD_LANES_H
#define FASTGRAD_LANES_H

#include "tile.h"

/* Rows and columns of a tile of dot products: their sums, and a vector for each column and one for a row, fill the registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define LANES_SIDE 5
#else
#define LANES_SIDE 3
#endif

/* What one place of the result reads: channels, and taps of three dimensions that lie inside of the image.  Steps in elements. */
typedef struct {
    int64_t count[4], image[4], weight[4];
    int64_t out_row;                    /* from channel to channel of the result */
    int accumulate;
} LanesPlace;

/* Rows of places over which products are summed. */
typedef struct {
    int64_t rows, places, vecs;
    int64_t image_row, image_place;     /* from row to row, and from place to place; the gradient is contiguous */
    int64_t grad_channel;
    int64_t sum_channel;
} LanesSum;

#define TILE_REAL float
#define TILE_TRANSPOSE(vec, x) TILE_TRANSPOSE_4(vec, x)
#define TILE(name) tile_##name##_f32
#include "lanes.h"
#undef TILE_REAL
#undef TILE_TRANSPOSE
#undef TILE
#define TILE_REAL double
#define TILE_TRANSPOSE(vec, x) TILE_TRANSPOSE_2(vec, x)
#define TILE(name) tile_##name##_f64
#include "lanes.h"
#undef TILE_REAL
#undef TILE_TRANSPOSE
#undef TILE

#endif
#else /* the body, for one type */

typedef void (*TILE(lanes_function))(const LanesPlace*, const TILE_REAL*, const TILE_REAL*, const TILE_REAL*, TILE_REAL*);
typedef void (*TILE(lanes_sum_function))(const LanesSum*, const TILE_REAL*, const TILE_REAL*, const int64_t*, TILE_REAL*);
#define LANES TILE(lanes)
#define SIZE ((int)(sizeof(TILE(small)) / sizeof(TILE_REAL)))
#define EACH TILE_UNROLL for (int i = 0; i < rows; i++) TILE_UNROLL for (int j = 0; j < vecs; j++)

/* out[rows, vecs*LANES] = the sum of weight[rows] * image over what the place reads (+ bias[rows]) (+ out). */
TILE_INLINE void TILE(lanes_body)(const int rows, const int vecs, const LanesPlace* p, const TILE_REAL* weight, const TILE_REAL* image,
                                  const TILE_REAL* bias, TILE_REAL* out) {
    TILE(vec) acc[TILE_ROWS][TILE_VECS], x[TILE_VECS];
    const int64_t image_step = p->image[3], weight_step = p->weight[3], taps = p->count[3];
    EACH acc[i][j] = (TILE(vec)){0};
    for (int64_t c = 0; c < p->count[0]; c++) {
        for (int64_t t0 = 0; t0 < p->count[1]; t0++) {
            const TILE_REAL* w = weight + c * p->weight[0] + t0 * p->weight[1];
            const TILE_REAL* from = image + c * p->image[0] + t0 * p->image[1];
            for (int64_t t1 = 0; t1 < p->count[2]; t1++, w += p->weight[2], from += p->image[2]) {
                const TILE_REAL* w_tap = w;
                const TILE_REAL* tap = from;
                for (int64_t t2 = 0; t2 < taps; t2++, w_tap += weight_step, tap += image_step) {
                    TILE_UNROLL for (int j = 0; j < vecs; j++) x[j] = *(const TILE(vec)*)(tap + j * LANES);
                    TILE_UNROLL for (int i = 0; i < rows; i++) {
                        const TILE(vec) w_i = TILE(splat)(w_tap[i]);
                        TILE_UNROLL for (int j = 0; j < vecs; j++) acc[i][j] = TILE(fma)(w_i, x[j], acc[i][j]);
                    }
                }
            }
        }
    }
    if (bias) EACH acc[i][j] += TILE(splat)(bias[i]);
    if (p->accumulate) EACH acc[i][j] += *(TILE(vec)*)(out + i * p->out_row + j * LANES);
    EACH *(TILE(vec)*)(out + i * p->out_row + j * LANES) = acc[i][j];
}
#undef EACH

/* sum[rows, taps, LANES] += grad * image over rows of places; a tap sees the image `offset` further. */
TILE_INLINE void TILE(lanes_sum_body)(const int rows, const int taps, const LanesSum* s, const TILE_REAL* grad, const TILE_REAL* image,
                                      const int64_t* offset, TILE_REAL* sum) {
    TILE(vec) acc[LANES_SIDE][LANES_SIDE], x[LANES_SIDE];
    const TILE_REAL* from[LANES_SIDE];
    const int64_t channel = s->grad_channel, vecs = s->vecs;
#define EACH TILE_UNROLL for (int i = 0; i < rows; i++) TILE_UNROLL for (int j = 0; j < taps; j++)
    EACH acc[i][j] = (TILE(vec)){0};
    for (int64_t r = 0; r < s->rows; r++) {
        TILE_UNROLL for (int j = 0; j < taps; j++) from[j] = image + r * s->image_row + offset[j];
        for (int64_t q = 0, at = 0; q < s->places; q++, at += s->image_place) {
            for (int64_t v = 0; v < vecs; v++, grad += LANES) {
                TILE_UNROLL for (int j = 0; j < taps; j++) x[j] = *(const TILE(vec)*)(from[j] + at + v * LANES);
                TILE_UNROLL for (int i = 0; i < rows; i++) {
                    const TILE(vec) g = *(const TILE(vec)*)(grad + i * channel);
                    TILE_UNROLL for (int j = 0; j < taps; j++) acc[i][j] = TILE(fma)(g, x[j], acc[i][j]);
                }
            }
        }
    }
    EACH *(TILE(vec)*)(sum + i * s->sum_channel + j * LANES) += acc[i][j];
#undef EACH
}

#define TILE_OF(rows, vecs) \
    static void TILE(lanes_##rows##x##vecs)(const LanesPlace* p, const TILE_REAL* weight, const TILE_REAL* image, const TILE_REAL* bias, \
                                            TILE_REAL* out) { \
        TILE(lanes_body)(rows, vecs, p, weight, image, bias, out); \
    }
#define SUM_OF(rows, taps) \
    static void TILE(lanes_sum_##rows##x##taps)(const LanesSum* s, const TILE_REAL* grad, const TILE_REAL* image, const int64_t* offset, \
                                                TILE_REAL* sum) { \
        TILE(lanes_sum_body)(rows, taps, s, grad, image, offset, sum); \
    }
#if TILE_VECS == 3
#define EACH_WIDTH(OF, rows) OF(rows, 1) OF(rows, 2) OF(rows, 3)
#define EACH_TILE(OF) EACH_WIDTH(OF, 1) EACH_WIDTH(OF, 2) EACH_WIDTH(OF, 3) EACH_WIDTH(OF, 4) EACH_WIDTH(OF, 5) EACH_WIDTH(OF, 6) \
    EACH_WIDTH(OF, 7) EACH_WIDTH(OF, 8)
#else
#define EACH_WIDTH(OF, rows) OF(rows, 1) OF(rows, 2)
#define EACH_TILE(OF) EACH_WIDTH(OF, 1) EACH_WIDTH(OF, 2) EACH_WIDTH(OF, 3) EACH_WIDTH(OF, 4) EACH_WIDTH(OF, 5) EACH_WIDTH(OF, 6)
#endif
#if LANES_SIDE == 5
#define EACH_TAPS(OF, rows) OF(rows, 1) OF(rows, 2) OF(rows, 3) OF(rows, 4) OF(rows, 5)
#define EACH_SUM(OF) EACH_TAPS(OF, 1) EACH_TAPS(OF, 2) EACH_TAPS(OF, 3) EACH_TAPS(OF, 4) EACH_TAPS(OF, 5)
#else
#define EACH_TAPS(OF, rows) OF(rows, 1) OF(rows, 2) OF(rows, 3)
#define EACH_SUM(OF) EACH_TAPS(OF, 1) EACH_TAPS(OF, 2) EACH_TAPS(OF, 3)
#endif
EACH_TILE(TILE_OF)
EACH_SUM(SUM_OF)
#define ENTRY(rows, vecs) TILE(lanes_##rows##x##vecs),
static const TILE(lanes_function) TILE(lanes_table)[TILE_ROWS * TILE_VECS] = {EACH_TILE(ENTRY)};  /* [rows-1][vecs-1] */
#undef ENTRY
#define ENTRY(rows, taps) TILE(lanes_sum_##rows##x##taps),
static const TILE(lanes_sum_function) TILE(lanes_sum_table)[LANES_SIDE * LANES_SIDE] = {EACH_SUM(ENTRY)};  /* [rows-1][taps-1] */
#undef ENTRY
#undef TILE_OF
#undef SUM_OF
#undef EACH_WIDTH
#undef EACH_TILE
#undef EACH_TAPS
#undef EACH_SUM

/* out[i] = the sum of in[i, LANES], by halves. */
static void TILE(lanes_totals)(int64_t n, const TILE_REAL* in, TILE_REAL* out) {
    enum { PARTS = sizeof(TILE(vec)) / sizeof(TILE(small)) };
    int64_t i = 0;
    for (; i < n; i += SIZE) {
        const int count = n - i < SIZE ? (int)(n - i) : SIZE;
        TILE(small) sum[SIZE];
        TILE_UNROLL for (int s = 0; s < SIZE; s++) {
            union { TILE(vec) whole; TILE(small) part[PARTS]; } lanes;
            lanes.whole = *(const TILE(vec)*)(in + (i + (s < count ? s : 0)) * LANES);
            TILE_UNROLL for (int half = PARTS / 2; half > 0; half /= 2) {
                TILE_UNROLL for (int v = 0; v < half; v++) lanes.part[v] += lanes.part[v + half];
            }
            sum[s] = lanes.part[0];
        }
        TILE_TRANSPOSE(TILE(small), sum)
        TILE_UNROLL for (int half = SIZE / 2; half > 0; half /= 2) {
            TILE_UNROLL for (int v = 0; v < half; v++) sum[v] += sum[v + half];
        }
        if (count == SIZE) *(TILE(small)*)(out + i) = sum[0];
        else memcpy(out + i, sum, (size_t)count * sizeof(TILE_REAL));
    }
}
#undef LANES
#undef SIZE
#endif
