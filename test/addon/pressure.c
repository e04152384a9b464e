/* What puts a process under pressure, and shows how it bears it: jobs that block the thread pool,
 * coroutines that are always ready, the bytes that malloc has given out. */
#include <fibril.h>

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- Jobs that stay in the pool until they are let go ---- */

static uv_once_t once = UV_ONCE_INIT;
static uv_sem_t go;
static atomic_int blocked; /* of all threads */

static void init(void) {
  if (uv_sem_init(&go, 0) != 0) abort();
}

static void wait_for_go(void *arg) {
  (void)arg;
  atomic_fetch_add(&blocked, 1);
  uv_sem_wait(&go);
  atomic_fetch_sub(&blocked, 1);
}

static fibril_value block(fibril_args *args) {
  (void)args;
  uv_once(&once, init);
  int err = fibril_work(wait_for_go, NULL);
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

static fibril_value let_go(fibril_args *args) {
  uv_once(&once, init);
  for (int64_t i = fibril_arg_integer(args, 0); i > 0; i--) uv_sem_post(&go);
  return fibril_undefined();
}

static fibril_value count_blocked(fibril_args *args) {
  (void)args;
  return fibril_number(atomic_load(&blocked));
}

/* ---- Coroutines that are always ready ---- */

typedef struct {
  uint32_t *laps; /* of each coroutine */
  uint32_t count;
  bool over;
} crowd;

typedef struct {
  crowd *crowd;
  uint32_t index;
} member;

static crowd busy; /* of one thread */

static fibril_value run_laps(void *arg) {
  member *self = arg;
  while (!self->crowd->over) {
    self->crowd->laps[self->index]++;
    int err = fibril_moment();
    if (err != 0) return fibril_error(err, NULL);
  }
  return fibril_undefined();
}

static fibril_value keep_busy(fibril_args *args) {
  uint32_t count = (uint32_t)fibril_arg_integer(args, 0);
  uint32_t *laps = calloc(count, sizeof *laps);
  member *members = calloc(count, sizeof *members);
  fibril_future **futures = calloc(count, sizeof(fibril_future *));
  fibril_value result = fibril_error(UV_ENOMEM, NULL);
  if (laps != NULL && members != NULL && futures != NULL) {
    fibril_spawn_options options = {
        .size = sizeof options, .name = "runner of laps", .stack_size = 16384};
    busy = (crowd){laps, count, false};
    for (uint32_t i = 0; i < count; i++) {
      members[i] = (member){&busy, i};
      futures[i] = fibril_spawn(run_laps, &members[i], &options);
    }
    result = fibril_value_dup(fibril_await_all(futures, count));
    for (uint32_t i = 0; i < count; i++) fibril_future_unref(futures[i]);
    busy.count = 0;
  }
  free(futures);
  free(members);
  free(laps);
  return result;
}

static fibril_value stop_busy(fibril_args *args) {
  (void)args;
  busy.over = true;
  return fibril_undefined();
}

/* The fewest laps that any has run, and the most. */
static fibril_value laps(fibril_args *args) {
  (void)args;
  uint32_t least = UINT32_MAX, most = 0;
  for (uint32_t i = 0; i < busy.count; i++) {
    if (busy.laps[i] < least) least = busy.laps[i];
    if (busy.laps[i] > most) most = busy.laps[i];
  }
  fibril_value array = fibril_array(2);
  fibril_array_push(array, fibril_number(least));
  fibril_array_push(array, fibril_number(most));
  return array;
}

static fibril_value nap(fibril_args *args) {
  int err = fibril_sleep(fibril_arg_number(args, 0));
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

/* ---- Memory ---- */

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#define HAVE_MALLINFO2 1
#else
#define HAVE_MALLINFO2 0
#endif

/* What malloc has given out and not got back, of all threads; -1 where the C library does not tell.
 */
static fibril_value bytes_in_use(fibril_args *args) {
  (void)args;
#if HAVE_MALLINFO2
  struct mallinfo2 info = mallinfo2();
  return fibril_number((double)(info.uordblks + info.hblkhd));
#else
  return fibril_number(-1);
#endif
}

/* Volatile, or the compiler would see that nobody misses it. */
static void *volatile lost;

static fibril_value lose(fibril_args *args) {
  lost = malloc((size_t)fibril_arg_integer(args, 0));
  return fibril_boolean(lost != NULL);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "block(): Promise<void>", block);
  fibril_export(m, "letGo(count: uint32): Promise<void>", let_go);
  fibril_export(m, "countBlocked(): Promise<number>", count_blocked);
  fibril_export(m, "keepBusy(count: uint32): Promise<void>", keep_busy);
  fibril_export(m, "stopBusy(): Promise<void>", stop_busy);
  fibril_export(m, "laps(): Promise<number[]>", laps);
  fibril_export(m, "nap(ms: number): Promise<void>", nap);
  fibril_export(m, "bytesInUse(): Promise<number>", bytes_in_use);
  fibril_export(m, "lose(bytes: uint32): Promise<boolean>", lose);
}
