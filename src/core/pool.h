/* The worker threads: a pool that runs the numbered pieces of one job at a time.  It knows no launch and no Python.
 *
 * A job is posted by storing a ticket for each thread that may take part: a generation, and a range of pieces.  Every thread
 * takes pieces from its own range first, so that it meets the same part of memory from job to job, then from the others'.
 * Nobody waits for a thread that has taken nothing: a worker that sleeps or is kept from running costs no more than its
 * share of the work.  A thread reads the job only after it has taken a piece, and the poster returns only when all pieces
 * are done, so a late thread finds an old generation and touches nothing.
 *
 * Where cores share no cache a line takes 250 ns from one to another.  So what a worker reads lies side by side and is fetched
 * at once, each thread reports what it did in a line of its own, and what the poster alone needs is in no line that workers read.
 *
 * After a job workers look for the next one for FG_SPIN_NS, then sleep.  A forked child has no workers and starts its own.
 */
#ifndef FASTGRAD_POOL_H
#define FASTGRAD_POOL_H
#include <stdint.h>
#include <string.h>
#include "core/port.h"

enum { FG_MAX_THREADS = 64, FG_SPIN_NS = 100000, FG_LATE = 6, FG_JOB_WORDS = 136, FG_FETCHED = 256 };

typedef void (*fg_piece_function)(const int64_t *job, int piece, void *scratch);

#if defined(_MSC_VER)
#  include <process.h>
#  define FG_LINES __declspec(align(128))
typedef volatile LONG64 fg_atomic;
static inline int64_t fg_load(fg_atomic *p) { return InterlockedOr64(p, 0); }
static inline void fg_store(fg_atomic *p, int64_t x) { InterlockedExchange64(p, x); }
static inline int64_t fg_add(fg_atomic *p, int64_t x) { return InterlockedAdd64(p, x); }
static inline int fg_swap(fg_atomic *p, int64_t *seen, int64_t x) {
    int64_t was = InterlockedCompareExchange64(p, x, *seen), same = was == *seen;
    *seen = was;
    return (int)same;
}
static inline void fg_pause(void) { YieldProcessor(); }
static inline void fg_yield(void) { SwitchToThread(); }
static inline int64_t fg_now(void) {
    LARGE_INTEGER t, f;
    QueryPerformanceCounter(&t);
    QueryPerformanceFrequency(&f);
    return (int64_t)((double)t.QuadPart / (double)f.QuadPart * 1e9);
}
typedef SRWLOCK fg_mutex;
typedef CONDITION_VARIABLE fg_condition;
typedef HANDLE fg_thread;
#  define FG_MUTEX_INIT SRWLOCK_INIT
#  define FG_CONDITION_INIT CONDITION_VARIABLE_INIT
static inline void fg_lock(fg_mutex *m) { AcquireSRWLockExclusive(m); }
static inline void fg_unlock(fg_mutex *m) { ReleaseSRWLockExclusive(m); }
static inline void fg_wait(fg_condition *c, fg_mutex *m) { SleepConditionVariableSRW(c, m, INFINITE, 0); }
static inline void fg_wake_all(fg_condition *c) { WakeAllConditionVariable(c); }
#else
#  define FG_LINES __attribute__((aligned(128)))        /* lines of the cache come in pairs */
#  include <pthread.h>
#  include <sched.h>
#  include <signal.h>
#  include <time.h>
typedef int64_t fg_atomic;
static inline int64_t fg_load(fg_atomic *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void fg_store(fg_atomic *p, int64_t x) { __atomic_store_n(p, x, __ATOMIC_RELEASE); }
static inline int64_t fg_add(fg_atomic *p, int64_t x) { return __atomic_add_fetch(p, x, __ATOMIC_SEQ_CST); }
static inline int fg_swap(fg_atomic *p, int64_t *seen, int64_t x) {
    return __atomic_compare_exchange_n(p, seen, x, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
#  if defined(__x86_64__)
static inline void fg_pause(void) { __builtin_ia32_pause(); }
#  elif defined(__aarch64__)
static inline void fg_pause(void) { __asm__ volatile("yield"); }
#  else
static inline void fg_pause(void) { }
#  endif
static inline void fg_yield(void) { sched_yield(); }
static inline int64_t fg_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
typedef pthread_mutex_t fg_mutex;
typedef pthread_cond_t fg_condition;
typedef pthread_t fg_thread;
#  define FG_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#  define FG_CONDITION_INIT PTHREAD_COND_INITIALIZER
static inline void fg_lock(fg_mutex *m) { pthread_mutex_lock(m); }
static inline void fg_unlock(fg_mutex *m) { pthread_mutex_unlock(m); }
static inline void fg_wait(fg_condition *c, fg_mutex *m) { pthread_cond_wait(c, m); }
static inline void fg_wake_all(fg_condition *c) { pthread_cond_broadcast(c); }
#endif

/* How the poster's thread rounds and treats denormals: workers do as it does. */
#if defined(__x86_64__) || defined(_M_X64)
#  include <xmmintrin.h>
static inline int64_t fg_float_mode(void) { return _mm_getcsr() & 0xffc0; }      /* without the exceptions seen */
static inline void fg_set_float_mode(int64_t mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__)
static inline int64_t fg_float_mode(void) { int64_t x; __asm__ volatile("mrs %0, fpcr" : "=r"(x)); return x; }
static inline void fg_set_float_mode(int64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
static inline int64_t fg_float_mode(void) { return 0; }
static inline void fg_set_float_mode(int64_t mode) { (void)mode; }
#endif

typedef struct {
    fg_atomic ticket;                   /* generation 32 bits, next piece 16, end 16 */
    char apart[128 - sizeof(fg_atomic)];
    fg_atomic done;                     /* generation, and how many pieces of its job this thread has done */
    char pad[128 - sizeof(fg_atomic)];
} fg_slot;

static FG_LINES struct {
    fg_slot slot[FG_MAX_THREADS];       /* 0: the poster's */
    fg_piece_function run;
    int64_t float_mode;
    int threads;                        /* that may take part in this job */
    int64_t job[FG_JOB_WORDS];          /* what `run` is given; room for the largest launch */
    fg_atomic sleeping, stop;           /* workers read these, and who posts a job changes none of them */
    size_t scratch_bytes;
    int workers;                        /* started */
    fg_thread thread[FG_MAX_THREADS];
    fg_mutex mutex;
    fg_condition posted;
    char pad[128];
    fg_atomic taken;                    /* some thread's launch is using the pool */
    int64_t generation;
    int late, passed;                   /* workers woken in vain lately, and launches since for which none was woken */
} fg_pool = {.mutex = FG_MUTEX_INIT, .posted = FG_CONDITION_INIT};

static int fg_take_piece(fg_slot *slot, int64_t generation) {
    int64_t t = fg_load(&slot->ticket);
    while (t >> 32 == generation && (t >> 16 & 0xffff) < (t & 0xffff)) {
        if (fg_swap(&slot->ticket, &t, t + (1 << 16))) return (int)(t >> 16 & 0xffff);
    }
    return -1;
}

/* Do pieces of this generation's job for as long as there are any, beginning with `piece` if it is one; how many. */
static int64_t fg_take_part(int self, int64_t generation, int threads, int piece) {
    int64_t count = 0;
    for (int i = 0; i < threads; i++) {
        fg_slot *slot = &fg_pool.slot[(self + i) % threads];
        int64_t before = count;
        while (piece >= 0 || (piece = fg_take_piece(slot, generation)) >= 0) {
            if (count++ == 0) {
                if (self && fg_float_mode() != fg_pool.float_mode) fg_set_float_mode(fg_pool.float_mode);
                threads = fg_pool.threads;
            }
            fg_pool.run(fg_pool.job, piece, fg_scratch);
            piece = -1;
        }
        if (self && count > before) fg_store(&fg_pool.slot[self].done, generation << 32 | count);  /* the poster may return now */
    }
    return count;
}

/* How many of the job's pieces workers have done. */
static int64_t fg_done(int64_t generation, int threads) {
    int64_t sum = 0;
    for (int i = 1; i < threads; i++) {
        int64_t done = fg_load(&fg_pool.slot[i].done);
        if (done >> 32 == generation) sum += done & 0xffff;
    }
    return sum;
}

static void fg_worker(int self) {
    fg_slot *own = &fg_pool.slot[self];
    int64_t seen = 0, until;
    while (!fg_load(&fg_pool.stop)) {
        int64_t generation = fg_load(&own->ticket) >> 32;
        if (generation != seen) {
            seen = generation;
            for (int i = 0; i < FG_FETCHED; i += 64) fg_fetch((char *)&fg_pool.run + i);
            fg_take_part(self, generation, self + 1, -1);
            until = fg_now() + FG_SPIN_NS;
            /* By additions of nothing: the line is this thread's own, and stays so as the new ticket comes. */
            for (int i = 0; fg_add(&own->ticket, 0) >> 32 == seen && !fg_load(&fg_pool.stop); i++) {
                fg_pause();
                if (i % 64 == 63 && fg_now() > until) break;
            }
            continue;
        }
        fg_lock(&fg_pool.mutex);
        fg_add(&fg_pool.sleeping, 1);
        while (fg_load(&own->ticket) >> 32 == seen && !fg_load(&fg_pool.stop)) fg_wait(&fg_pool.posted, &fg_pool.mutex);
        fg_add(&fg_pool.sleeping, -1);
        fg_unlock(&fg_pool.mutex);
    }
}

#if defined(_MSC_VER)
static unsigned __stdcall fg_worker_main(void *self) {
    if (fg_make_scratch(fg_pool.scratch_bytes)) fg_worker((int)(intptr_t)self);
    return 0;
}
static int fg_start_thread(fg_thread *t, int self) {
    *t = (HANDLE)_beginthreadex(NULL, 0, fg_worker_main, (void *)(intptr_t)self, 0, NULL);
    return *t != 0;
}
static void fg_join(fg_thread t) { WaitForSingleObject(t, INFINITE); CloseHandle(t); }
static void fg_watch_forks(void) { }
#else
static void *fg_worker_main(void *self) {
    if (fg_make_scratch(fg_pool.scratch_bytes)) fg_worker((int)(intptr_t)self);
    return NULL;
}
/* Signals are for the program's own threads. */
static int fg_start_thread(fg_thread *t, int self) {
    sigset_t all, before;
    pthread_attr_t attr;
    int failed;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 1 << 20);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(t, &attr, fg_worker_main, (void *)(intptr_t)self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return !failed;
}
static void fg_join(fg_thread t) { pthread_join(t, NULL); }

static void fg_before_fork(void) { fg_lock(&fg_pool.mutex); }
static void fg_after_fork(void) { fg_unlock(&fg_pool.mutex); }
/* The child: no worker came along, and the launch that may have been running belongs to a thread that did not either. */
static void fg_in_child(void) {
    fg_pool.mutex = (fg_mutex)FG_MUTEX_INIT;
    fg_pool.posted = (fg_condition)FG_CONDITION_INIT;
    fg_pool.workers = 0;
    fg_pool.sleeping = fg_pool.taken = 0;
}
static void fg_watch_forks(void) {
    static int watching;
    if (!watching) watching = pthread_atfork(fg_before_fork, fg_after_fork, fg_in_child) == 0;
}
#endif

/* Take the pool for one launch, with workers for up to `threads`; how many threads there are then, 1 if it is taken. */
static int fg_pool_take(int threads, size_t scratch_bytes) {
    int64_t free = 0;
    if (fg_load(&fg_pool.stop) || !fg_swap(&fg_pool.taken, &free, 1)) return 1;
    if (threads > FG_MAX_THREADS) threads = FG_MAX_THREADS;
    if (fg_pool.workers < threads - 1) {
        fg_watch_forks();
        fg_pool.scratch_bytes = scratch_bytes;
        while (fg_pool.workers < threads - 1) {
            int self = fg_pool.workers + 1;
            fg_store(&fg_pool.slot[self].ticket, 0);
            if (!fg_start_thread(&fg_pool.thread[self], self)) break;
            fg_pool.workers++;
        }
    }
    if (threads > fg_pool.workers + 1) threads = fg_pool.workers + 1;
    if (threads == 1) fg_store(&fg_pool.taken, 0);
    return threads;
}

/* Run pieces 0..pieces-1 of the job in fg_pool.job with the pool taken, and leave it.
 * wake: whether sleeping workers are to take part. */
static void fg_pool_run(fg_piece_function run, int pieces, int threads, int wake) {
    int64_t generation = ++fg_pool.generation & 0x7fffffff, own;
    int woken = 0;
    if (generation == 0) generation = fg_pool.generation = 1;
    fg_pool.run = run;
    fg_pool.threads = threads;
    fg_pool.float_mode = fg_float_mode();
    for (int i = threads - 1; i >= 0; i--) {            /* the poster has its first piece already */
        int64_t from = (int64_t)pieces * i / threads + (i == 0), to = (int64_t)pieces * (i + 1) / threads;
        fg_store(&fg_pool.slot[i].ticket, generation << 32 | from << 16 | to);
    }
    if (wake && fg_add(&fg_pool.sleeping, 0)) {         /* an addition, so that it is read after tickets are seen */
        fg_lock(&fg_pool.mutex);
        fg_wake_all(&fg_pool.posted);
        fg_unlock(&fg_pool.mutex);
        woken = 1;
    }
    own = fg_take_part(0, generation, threads, 0);
    for (int i = 1; own + fg_done(generation, threads) < pieces; i++) {
        if (i % 4096) fg_pause();
        else fg_yield();
    }
    if (own < pieces) fg_pool.late = 0;
    else if (woken && fg_pool.late < FG_LATE) fg_pool.late++;
    fg_store(&fg_pool.taken, 0);
}

/* Whether a worker is looking for a job. */
static inline int fg_pool_awake(void) { return fg_pool.workers > (int)fg_load(&fg_pool.sleeping); }

/* Whether to wake sleeping workers for a launch that takes `times` what is worth waking them.  Where the machine is busy and those
 * woken lately came too late, only for twice as long a launch each time, or now and then.  Called under the GIL. */
static inline int fg_pool_wakes(double times) {
    int most = 1 << fg_pool.late;
    if (times < 1) return 0;
    if (times < most && ++fg_pool.passed < most) return 0;
    fg_pool.passed = 0;
    return 1;
}

/* End the workers, for good; called as the interpreter exits. */
static void fg_pool_stop(void) {
    fg_store(&fg_pool.stop, 1);
    fg_lock(&fg_pool.mutex);
    fg_wake_all(&fg_pool.posted);
    fg_unlock(&fg_pool.mutex);
    for (; fg_pool.workers > 0; fg_pool.workers--) fg_join(fg_pool.thread[fg_pool.workers]);
}
#endif
