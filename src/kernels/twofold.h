/* Arithmetic on numbers in two parts: an unevaluated sum head + tail of doubles, |tail| within half a unit of head, good to about
 * 100 bits. The rare functions of vmath*.pxi compute their last steps in it, so that a result rounds once.
 *
 * The methods are those of Dekker and Knuth. Where a head is infinite or NaN, two_normal makes the tail 0; all but two_sum,
 * two_product and two_gather end with it.
 */
#ifndef FASTGRAD_TWOFOLD_H
#define FASTGRAD_TWOFOLD_H

#include "simd.h"

typedef struct { double head, tail; } two;

FG_INLINE two two_of(double head, double tail) { two r = {head, tail}; return r; }

FG_INLINE double rounded(two a) { return a.head + a.tail; }

/* a + b where a is 0 or the larger in magnitude. */
FG_INLINE two two_normal(double a, double b) {
    double s = a + b;
    return fabs(s) <= 1.7976931348623157e308 ? two_of(s, b - (s - a)) : two_of(a, 0);
}

FG_INLINE two two_sum(double a, double b) {
    double s = a + b, part = s - a;
    return two_of(s, (a - (s - part)) + (b - part));
}

FG_INLINE two two_product(double a, double b) { double p = a * b; return two_of(p, product_error_f64(a, b, p)); }

FG_INLINE two two_minus(two a) { return two_of(-a.head, -a.tail); }

FG_INLINE two two_plus(two a, double b) {
    two s = two_sum(a.head, b);
    return two_normal(s.head, s.tail + a.tail);
}

FG_INLINE two two_add(two a, two b) {
    two s = two_sum(a.head, b.head);
    return two_normal(s.head, s.tail + (a.tail + b.tail));
}

/* a + b of a long sum, its parts left as they come: the next operation but this joins them. */
FG_INLINE two two_gather(two a, two b) {
    two s = two_sum(a.head, b.head);
    return two_of(s.head, s.tail + (a.tail + b.tail));
}

FG_INLINE two two_scale(two a, double b) {
    two p = two_product(a.head, b);
    return two_normal(p.head, p.tail + a.tail * b);
}

FG_INLINE two two_times(two a, two b) {
    two p = two_product(a.head, b.head);
    return two_normal(p.head, p.tail + (a.head * b.tail + a.tail * b.head));
}

FG_INLINE two two_over(two a, two b) {
    double q = a.head / b.head;
    two p = two_product(q, b.head);
    return two_normal(q, ((a.head - p.head) - p.tail + a.tail - q * b.tail) / b.head);
}

/* 1 / a. */
FG_INLINE two two_inverse(two a) {
    double q = 1 / a.head;
    two p = two_product(q, a.head);
    return two_normal(q, ((1 - p.head) - p.tail - q * a.tail) * q);
}

FG_INLINE two two_root(two a) {
    double r = sqrt(a.head);
    two p = two_product(r, r);
    return two_normal(r, ((a.head - p.head) - p.tail + a.tail) / (2 * r));
}

#endif
