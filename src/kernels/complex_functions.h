/* Functions of complex numbers as C's library has them, over pairs (real, imaginary): Cython's complex type is a struct here, because its
   arithmetic on C's own would lose infinities. */
#ifndef FG_COMPLEX_FUNCTIONS
#define FG_COMPLEX_FUNCTIONS
#include <complex.h>
#include <math.h>

#define FG_PAIR(z) __builtin_complex((z)[0], (z)[1])
#define FG_SPLIT32(out, w) ((out)[0] = crealf(w), (out)[1] = cimagf(w))
#define FG_SPLIT64(out, w) ((out)[0] = creal(w), (out)[1] = cimag(w))
#define FG_COMPLEX(name) \
    static inline void fg_##name##_f32(float *out, const float *z) { float _Complex w = c##name##f(FG_PAIR(z)); FG_SPLIT32(out, w); } \
    static inline void fg_##name##_f64(double *out, const double *z) { double _Complex w = c##name(FG_PAIR(z)); FG_SPLIT64(out, w); }

FG_COMPLEX(exp)
FG_COMPLEX(log)
FG_COMPLEX(sqrt)
FG_COMPLEX(sin)
FG_COMPLEX(cos)
FG_COMPLEX(tan)
FG_COMPLEX(sinh)
FG_COMPLEX(cosh)
FG_COMPLEX(tanh)
FG_COMPLEX(asin)
FG_COMPLEX(acos)
FG_COMPLEX(atan)
FG_COMPLEX(asinh)
FG_COMPLEX(acosh)
FG_COMPLEX(atanh)

static inline void fg_pow_f32(float *out, const float *z, const float *e) { float _Complex w = cpowf(FG_PAIR(z), FG_PAIR(e)); FG_SPLIT32(out, w); }
static inline void fg_pow_f64(double *out, const double *z, const double *e) { double _Complex w = cpow(FG_PAIR(z), FG_PAIR(e)); FG_SPLIT64(out, w); }
#endif
