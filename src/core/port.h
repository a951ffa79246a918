/* What the engine needs of the platform and Cython cannot say: thread-local state, aligned memory, bit scans. */
#ifndef FASTGRAD_PORT_H
#define FASTGRAD_PORT_H
#include <stdlib.h>
#include <stdint.h>

#if defined(_MSC_VER)
#  define FG_THREAD_LOCAL __declspec(thread)
#  include <malloc.h>
#  include <intrin.h>
static inline void *fg_aligned_alloc(size_t n, size_t alignment) { return _aligned_malloc(n, alignment); }
static inline void fg_aligned_free(void *p) { _aligned_free(p); }
static inline int fg_log2(uint64_t x) { unsigned long i; _BitScanReverse64(&i, x); return (int)i; }
static inline void fg_fetch(const void *p) { (void)p; }
#else
#  define FG_THREAD_LOCAL __thread
#if defined(__linux__)
#  include <sys/mman.h>
#endif
/* Large blocks ask for huge pages: a third less time for what only goes through memory, and for its first touch. */
enum { FG_HUGE_PAGE = 2 << 20 };
static inline void *fg_aligned_alloc(size_t n, size_t alignment) {
    void *p;
    int huge = n >= 2 * FG_HUGE_PAGE;
    if (posix_memalign(&p, huge ? FG_HUGE_PAGE : alignment, n)) return NULL;
#if defined(MADV_HUGEPAGE)
    if (huge) madvise(p, n / FG_HUGE_PAGE * FG_HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
}
static inline void fg_aligned_free(void *p) { free(p); }
static inline int fg_log2(uint64_t x) { return 63 - __builtin_clzll(x); }   /* x > 0 */
/* Into the caches; p may lead nowhere.  GCC would drop a function that does nothing else. */
static inline void fg_fetch(const void *p) { __builtin_prefetch(p); __asm__ volatile(""); }
#endif

/* What kernels wrote past the caches (kernels/simd.h) is seen by other threads from here on. */
#if defined(__SSE2__)
static inline void fg_end_streams(void) { __builtin_ia32_sfence(); }
#else
static inline void fg_end_streams(void) { }
#endif

#ifdef FASTGRAD_DEBUG
#  define FG_DEBUG 1
#else
#  define FG_DEBUG 0
#endif

/* Autograd's state of this thread.  It is read by every operation, so it lives where reading it takes no call; glibc keeps
   room for such variables of libraries that are loaded late. */
#if defined(__GLIBC__)
#  define FG_TLS_MODEL __attribute__((tls_model("initial-exec")))
#else
#  define FG_TLS_MODEL
#endif
static FG_THREAD_LOCAL int fg_grad_enabled FG_TLS_MODEL = 1;
static FG_THREAD_LOCAL int fg_inference FG_TLS_MODEL = 0;
static FG_THREAD_LOCAL int fg_partial_backward FG_TLS_MODEL = 0;    /* a backward of this thread goes to chosen inputs only */
static FG_THREAD_LOCAL void *fg_walk FG_TLS_MODEL = NULL;           /* the walk that this thread is in, unless it is a chain */
/* Releases that this thread is in, see Note [Release without recursion] in objects.pxi. */
typedef struct {
    int nodes;            /* whether a node is being released */
    int tensors;          /* how deep in tensors that own tensors */
    int strangers;        /* how deep in objects that may run Python code */
    void *waiting_nodes, *waiting_tensors;
} fg_release_t;
static FG_THREAD_LOCAL fg_release_t fg_release FG_TLS_MODEL;
/* This thread's scratch memory for kernels: made at its first launch, freed when it ends. */
static FG_THREAD_LOCAL void *fg_scratch FG_TLS_MODEL = NULL;
#if defined(_MSC_VER)
#include <windows.h>
static DWORD fg_scratch_key;
static void NTAPI fg_scratch_end(void *p) { if (p) fg_aligned_free(p); }
static inline int fg_scratch_ready(void) { fg_scratch_key = FlsAlloc(fg_scratch_end); return fg_scratch_key != FLS_OUT_OF_INDEXES; }
static inline void *fg_make_scratch(size_t n) {
    void *p = fg_aligned_alloc(n, 64);
    if (p) { FlsSetValue(fg_scratch_key, p); fg_scratch = p; }
    return p;
}
#else
#include <pthread.h>
static pthread_key_t fg_scratch_key;
static inline int fg_scratch_ready(void) { return pthread_key_create(&fg_scratch_key, free) == 0; }
static inline void *fg_make_scratch(size_t n) {
    void *p = fg_aligned_alloc(n, 64);
    if (p) { pthread_setspecific(fg_scratch_key, p); fg_scratch = p; }
    return p;
}
#endif
#endif
