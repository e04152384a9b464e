/* One wait of every kind that there is, for what ends waits: signals, deadlines, the end of a
 * thread. */
#include "../c/every_wait.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int live; /* of all threads */

static void leave(void *arg) {
  (void)arg;
  live--;
}

/* ---- JavaScript ---- */

static int in_call(fibril_args *args) {
  return fibril_error_code(fibril_call(fibril_arg(args, 2), NULL, 0));
}

/* Of the function itself: fn.call(). */
static int in_method(fibril_args *args) {
  return fibril_error_code(fibril_reference_call(fibril_arg(args, 2), "call", NULL, 0));
}

static int in_method_by_key(fibril_args *args) {
  fibril_value key = fibril_string("call", FIBRIL_AUTO_LENGTH);
  return fibril_error_code(fibril_reference_call_key(fibril_arg(args, 2), key, NULL, 0));
}

static int run_wait(fibril_args *args, wait_scene *s) {
  const char *kind = fibril_arg_string(args, 0);
  if (strcmp(kind, "call") == 0) return in_call(args);
  if (strcmp(kind, "method") == 0) return in_method(args);
  if (strcmp(kind, "methodByKey") == 0) return in_method_by_key(args);
  if (strcmp(kind, "laterCall") == 0) { /* not in the call's first segment */
    int err = fibril_moment();
    return err != 0 ? err : in_call(args);
  }
  for (size_t i = 0; i < every_wait_count; i++)
    if (strcmp(every_waits[i].name, kind) == 0) return every_waits[i].run(s);
  return UV_ENOSYS;
}

/* wait(kind, fd, fn, {signal, deadline}) */
static fibril_value wait_in(fibril_args *args) {
  wait_scene s = {.fd = (int)fibril_arg_integer(args, 1)};
  double deadline = fibril_value_number(fibril_arg_option(args, 3, "deadline"));
  int err = fibril_defer(leave, NULL);
  if (err != 0) return fibril_error(err, NULL);
  live++;
  if (!isnan(deadline)) err = fibril_deadline_push(deadline);
  s.channel = fibril_channel_new(0);
  if (err == 0) err = run_wait(args, &s);
  fibril_channel_free(s.channel);
  return err < 0 ? fibril_error(err, NULL) : fibril_number(err);
}

/* Helpers of a wait here end when their thread does: what they use stays until then. */
static void free_scene(void *arg) {
  fibril_channel_free(((wait_scene *)arg)->channel);
  free(arg);
}

static fibril_value keep_scene(void *arg) {
  fibril_defer(free_scene, arg);
  fibril_suspend();
  return fibril_undefined();
}

/* waitNow(kind, fd, fn): the name of what the wait gives in a synchronous function */
static fibril_value wait_now(fibril_args *args) {
  wait_scene s = {.fd = (int)fibril_arg_integer(args, 1), .childless = true};
  s.channel = fibril_channel_new(0);
  int err = run_wait(args, &s);
  fibril_channel_free(s.channel);
  return fibril_string(fibril_err_name(err), FIBRIL_AUTO_LENGTH);
}

static int refused; /* what a wait gave in a synchronous loop that was left */

/* synchronousWait(kind, fd, fn): yields what the wait gives */
static fibril_value wait_synchronously(fibril_args *args, fibril_generator *generator) {
  wait_scene *s = calloc(1, sizeof *s);
  if (s == NULL) return fibril_error(UV_ENOMEM, NULL);
  s->fd = (int)fibril_arg_integer(args, 1);
  s->channel = fibril_channel_new(0);
  fibril_future *keeper = fibril_spawn(keep_scene, s, NULL);
  int err = run_wait(args, s);
  fibril_yield(generator, fibril_string(fibril_err_name(err), FIBRIL_AUTO_LENGTH));
  refused = run_wait(args, s);
  fibril_cancel(keeper);
  fibril_future_unref(keeper);
  return fibril_undefined();
}

static fibril_value refused_with(fibril_args *args) {
  (void)args;
  return fibril_string(fibril_err_name(refused), FIBRIL_AUTO_LENGTH);
}

/* ---- Jobs that keep the pool busy, until they are let go ---- */

static uv_once_t once = UV_ONCE_INIT;
static uv_sem_t go;
static _Atomic int blocked;

static void init(void) {
  uv_sem_init(&go, 0);
}

static void block_thread(void *arg) {
  (void)arg;
  blocked++;
  uv_sem_wait(&go);
  blocked--;
}

static fibril_value block(fibril_args *args) {
  (void)args;
  uv_once(&once, init);
  int err = fibril_work(block_thread, NULL);
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

static fibril_value count_blocked(fibril_args *args) {
  (void)args;
  return fibril_number(blocked);
}

static fibril_value let_go(fibril_args *args) {
  for (int64_t i = fibril_arg_integer(args, 0); i > 0; i--) uv_sem_post(&go);
  return fibril_undefined();
}

static fibril_value count_waits(fibril_args *args) {
  (void)args;
  return fibril_number(live);
}

FIBRIL_MODULE(m) {
  fibril_export(m,
                "wait(kind: string, fd: int32, fn: Function,"
                " options?: {signal?: AbortSignal, deadline?: number}): Promise<number>",
                wait_in);
  fibril_export_generator(
      m, "synchronousWait(kind: string, fd: int32, fn: Function): Generator<string>",
      wait_synchronously, NULL);
  fibril_export(m, "waitNow(kind: string, fd: int32, fn: Function): string", wait_now);
  fibril_export(m, "refusedWith(): Promise<string>", refused_with);
  fibril_export(m, "block(): Promise<void>", block);
  fibril_export(m, "countBlocked(): Promise<number>", count_blocked);
  fibril_export(m, "letGo(jobs: int32): Promise<void>", let_go);
  fibril_export(m, "countWaits(): Promise<number>", count_waits);
}
