/* Waiting that adapts: spin where the answer comes soon, park where it does not (docs/wire.md, "Rules").
 *
 * Spinning the full time (130 µs) saves a wake-up of 35-70 µs; a shorter spin would park on every call of a busy session. But
 * three spinners on two cores are ten times slower than none. So each thread has a budget: it grows back to the full spin when
 * work came within the time that a full spin covers, whether or not it was parked by then; it halves when the wait was long, and
 * drops to a quarter when the thread lost its core while it spun, which says that others need the core. */
#include "internal.h"

enum { FOUND = 1, FOUND_BESIDE = 2 }; /* found while looking; found after this thread had lost its core */
enum { SPIN = 130 };                  /* microseconds of the longest spin */
enum { CHUNK = 64, LEAST = 64, CHUNKS_ALONE = 4, BESIDE_MOST = 1024 };

static uint64_t ticks(void) { return __builtin_ia32_rdtsc(); }

static uint64_t chunk_ticks; /* ticks of CHUNK pauses */

void zb_calibrate(void) {
  LARGE_INTEGER frequency, start, now;
  uint64_t first, took, best = ~0ull;
  QueryPerformanceFrequency(&frequency);
  for (int round = 0; round < 8; round++) { /* the shortest of eight, since any may be interrupted */
    first = ticks();
    for (int i = 0; i < CHUNK; i++) __builtin_ia32_pause();
    took = ticks() - first;
    if (took < best) best = took;
  }
  chunk_ticks = best ? best : 1;
  QueryPerformanceCounter(&start);
  first = ticks();
  do QueryPerformanceCounter(&now);
  while ((now.QuadPart - start.QuadPart) * 1000000 / frequency.QuadPart < 200);
  zb.spin_ticks = (ticks() - first) * SPIN / 200 + 1;
  zb.spin_full = (uint32_t)(zb.spin_ticks / chunk_ticks + 1) * CHUNK;
}

/* The longest look in pauses. Where sessions take turns, Node limits it, so that the cores are left to the session
 * whose turn it is. */
static uint32_t look_limit(void) {
  uint32_t microseconds = zb_load(zb_word(WORD_LOOK_LIMIT));
  if (!microseconds || microseconds >= SPIN) return ~0u;
  return (uint32_t)((uint64_t)zb.spin_full * microseconds / SPIN) + 1;
}

static int spin(volatile uint32_t *head, uint32_t seen, struct zb_thread *thread) {
  uint64_t before = ticks();
  uint32_t chunks = 0, most = look_limit(), left = thread->spin < most ? thread->spin : most;
  for (; left; left -= left < CHUNK ? left : CHUNK) {
    for (int i = 0; i < CHUNK; i++) {
      if (zb_load(head) != seen) return FOUND;
      __builtin_ia32_pause();
    }
    uint64_t now = ticks();
    if (now - before > 16 * chunk_ticks + zb.spin_ticks / 4) { /* this thread had lost its core */
      thread->spin = thread->spin / 4 > LEAST ? thread->spin / 4 : LEAST;
      return zb_load(head) != seen ? FOUND_BESIDE : 0;
    }
    before = now;
    if (++chunks > CHUNKS_ALONE) { /* give this core to others that are ready, above all Node's thread */
      Sleep(0);
      if (zb_load(head) != seen) return FOUND_BESIDE;
      before = ticks();
    }
  }
  return 0;
}

/* Two sides that hand each other calls belong on two cores. Where all cores are busy Linux wakes a thread where it ran last, or
 * beside its waker, even if another core has just become idle (select_idle_sibling looks for none then), so sides that share a
 * core keep sharing it, and each call costs two switches. A thread is moved by forbidding it the core that it is on, for a moment. */
static void leave_core(void) {
  DWORD_PTR others = zb.cores & ~((DWORD_PTR)1 << GetCurrentProcessorNumber());
  if (!others || !SetThreadAffinityMask(GetCurrentThread(), others)) return;
  SetThreadAffinityMask(GetCurrentThread(), zb.cores);
}

/* Counts waits in a row after which Node's thread seemed to share this thread's core; after `beside_most` of them
 * this thread asks to leave it. Node allows that unless the thread is pinned. Where leaving does not help, because
 * other programs keep all cores busy, it is asked ever more seldom. */
static void note(struct zb_thread *thread, int beside) {
  volatile uint32_t *word = zb_word(WORD_APART);
  if (thread->strand != 0) return;
  if (!beside) {
    thread->beside = 0;
    if (thread->beside_most > BESIDE) thread->beside_most--;
  } else if (zb_load(word) == APART_ALLOWED) {
    zb_store(word, 0);
    thread->beside = 0;
    thread->beside_most = thread->beside_most < BESIDE_MOST ? thread->beside_most * 2 : BESIDE_MOST;
    leave_core();
  } else if (++thread->beside >= thread->beside_most) {
    zb_store(word, APART_ASKED);
  }
}

/* Sleeps until somebody rings. Bytes in the bell are hints: all of them are taken. */
static void sleep_on(int strand) {
  uint8_t stale[64];
  DWORD count = 0;
  if (strand != 0) {
    if (WaitForSingleObject(zb.events[strand], 1000) == WAIT_FAILED)
      zb_check_handle(); /* the time limit is for a ring that was lost: the word that asks for it may be overwritten */
    return;
  }
  if (!ReadFile(zb.host_bell, stale, sizeof stale, &count, NULL)) zb_check_handle();
  if (!count) Sleep(1); /* at its end the pipe reads as empty: do not spin */
}

void zb_wait(struct zb_thread *thread, volatile uint32_t *head, uint32_t seen, volatile uint32_t *sleeps) {
  uint64_t start = ticks();
  int found = spin(head, seen, thread);
  if (found) {
    thread->spin = thread->spin < zb.spin_full / 2 ? thread->spin * 2 : zb.spin_full;
    note(thread, found == FOUND_BESIDE);
    return;
  }
  do {
    __atomic_exchange_n(sleeps, 1, __ATOMIC_SEQ_CST); /* with a fence before the last look */
    if (zb_load(head) == seen) sleep_on(thread->strand);
    zb_store(sleeps, 0);
  } while (zb_load(head) == seen && thread->strand != 0);
  if (ticks() - start < zb.spin_ticks + zb.spin_ticks / 2) {
    thread->spin = thread->spin < zb.spin_full / 4 ? thread->spin * 4 : zb.spin_full;
    note(thread, 1);
  } else {
    thread->spin = thread->spin / 2 > LEAST ? thread->spin / 2 : LEAST;
    note(thread, 0);
  }
}
