/* What the engine needs of the platform and Cython cannot say: thread-local state, aligned memory, bit scans. */
#ifndef FASTGRAD_PORT_H
#define FASTGRAD_PORT_H
#include <stdlib.h>
#include <stdint.h>

#if defined(_MSC_VER)
#  define FG_THREAD_LOCAL __declspec(thread)
#  include <malloc.h>
#  include <intrin.h>
static inline void *fg_aligned_alloc(size_t n) { return _aligned_malloc(n, 64); }
static inline void fg_aligned_free(void *p) { _aligned_free(p); }
static inline int fg_log2(uint64_t x) { unsigned long i; _BitScanReverse64(&i, x); return (int)i; }
#else
#  define FG_THREAD_LOCAL __thread
static inline void *fg_aligned_alloc(size_t n) { void *p; return posix_memalign(&p, 64, n) ? NULL : p; }
static inline void fg_aligned_free(void *p) { free(p); }
static inline int fg_log2(uint64_t x) { return 63 - __builtin_clzll(x); }   /* x > 0 */
#endif

#ifdef FASTGRAD_DEBUG
#  define FG_DEBUG 1
#else
#  define FG_DEBUG 0
#endif

/* Autograd's state of this thread. */
static FG_THREAD_LOCAL int fg_grad_enabled = 1;
static FG_THREAD_LOCAL int fg_inference = 0;
/* This thread's scratch memory for kernels; made at the first launch that asks for it. */
static FG_THREAD_LOCAL void *fg_scratch = NULL;
#endif
