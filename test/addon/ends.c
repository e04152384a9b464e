/* Native functions that meet the end of their environment in an awkward state, and counts of what
 * became of them, which outlive it: all threads of the process share them. */
#include <fibril.h>

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static struct {
  _Atomic int stubborn; /* coroutines that were refused every kind of wait, and ended */
  _Atomic int jobs_started, jobs_ended, jobs_refused;
  _Atomic int threads, posts_accepted, posts_run, posts_refused;
  _Atomic int calls_taken, calls_told;
} counts;

/* ---- A cancelled coroutine that waits again ---- */

static void nothing(void *arg) {
  (void)arg;
}

static fibril_value at_once(void *arg) {
  (void)arg;
  return fibril_number(1);
}

/* Every kind of wait, one after the other: the codes they give. */
static fibril_value every_wait(fibril_value function) {
  fibril_value codes = fibril_array(12);
  fibril_future *pending = fibril_future_new(fibril_loop_current());
  fibril_future *both[2] = {pending, fibril_future_new(fibril_loop_current())};
  fibril_future *child = fibril_spawn(at_once, NULL, NULL);
  int fds[2];
  uv_stat_t stat;
  if (pipe(fds) != 0) return fibril_error(uv_translate_sys_error(errno), "pipe");
  int results[] = {
      fibril_suspend(),
      fibril_sleep(1e6),
      fibril_moment(),
      fibril_pass(),
      fibril_work(nothing, NULL),
      fibril_poll_fd(fds[0], UV_READABLE, -1),
      fibril_fs_stat(".", &stat),
      fibril_error_code(fibril_await(pending)),
      fibril_error_code(fibril_await_all(both, 2)),
      fibril_await_any(both, 2),
      fibril_error_code(fibril_call(function, NULL, 0)),
      fibril_error_code(fibril_await(child)), /* that is done already */
  };
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    fibril_array_push(codes, fibril_string(fibril_err_name(results[i]), FIBRIL_AUTO_LENGTH));
  fibril_future_unref(child);
  for (int i = 0; i < 2; i++) {
    fibril_future_unref(both[i]);
    close(fds[i]);
  }
  return codes;
}

static fibril_value wait_again(fibril_args *args) {
  fibril_suspend();
  fibril_value codes = every_wait(fibril_arg(args, 0));
  counts.stubborn++;
  return codes;
}

/* ---- Jobs of the pool that block ---- */

typedef struct {
  int fd;
  ssize_t result;
} job;

static void block(void *arg) {
  job *self = arg;
  char byte;
  counts.jobs_started++;
  do self->result = read(self->fd, &byte, 1);
  while (self->result < 0 && errno == EINTR);
  counts.jobs_ended++;
}

/* A thread of the pool that waits until the pipe is written to or closed. */
static fibril_value blocked_job(fibril_args *args) {
  job self = {(int)fibril_arg_integer(args, 0), -1};
  int err = fibril_work(block, &self);
  if (err != 0) counts.jobs_refused++;
  return err != 0 ? fibril_error(err, NULL) : fibril_number((double)self.result);
}

/* ---- Threads that post ---- */

static void on_post(void *arg) {
  (void)arg;
  counts.posts_run++;
}

/* Posts until it is refused, and then once more. */
static void *post_on(void *arg) {
  fibril_poster *poster = arg;
  /* In bursts, so that some are under way at any moment. */
  for (int i = 1; fibril_post(poster, on_post, NULL) == 0; i++) {
    counts.posts_accepted++;
    if (i % 64 != 0) continue;
    usleep(100);
    /* A loop that is busy must not make a heap of them. */
    for (int k = 0; k < 50 && counts.posts_accepted - counts.posts_run > 4096; k++) usleep(100);
  }
  if (fibril_post(poster, on_post, NULL) == UV_ECANCELED) counts.posts_refused++;
  fibril_poster_unref(poster);
  counts.threads--;
  return NULL;
}

/* 0 or a negative code. */
static int start_thread(void *(*run)(void *arg), void *arg) {
  pthread_t thread;
  counts.threads++;
  int err = pthread_create(&thread, NULL, run, arg);
  if (err == 0)
    err = pthread_detach(thread);
  else
    counts.threads--;
  return uv_translate_sys_error(err);
}

static fibril_value post_for_ever(fibril_args *args) {
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 0) && err == 0; i++)
    err = start_thread(post_on, fibril_loop_poster(fibril_loop_current()));
  return err != 0 ? fibril_error(err, "thread") : fibril_undefined();
}

/* ---- Threads that call JavaScript ---- */

static void on_call_done(fibril_value result, void *arg) {
  (void)result;
  (void)arg;
  counts.calls_told++;
}

/* Calls until it is refused; where all places are taken it waits, and is woken by the end. */
static void *call_on(void *arg) {
  fibril_callback *callback = arg;
  int err = 0;
  while (err == 0) {
    fibril_value values[] = {fibril_string("text", 4), fibril_buffer("bytes", 5)};
    err = fibril_callback_send(callback, values, 2, on_call_done, NULL);
    if (err == 0) counts.calls_taken++;
  }
  fibril_callback_unref(callback);
  counts.threads--;
  return NULL;
}

static fibril_value call_for_ever(fibril_args *args) {
  fibril_callback_options options = {.size = sizeof options, .limit = 3};
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 1) && err == 0; i++)
    err = start_thread(call_on, fibril_callback_new(fibril_arg(args, 0), &options));
  return err != 0 ? fibril_error(err, "thread") : fibril_undefined();
}

/* ---- What is there ---- */

static fibril_value read_counts(fibril_args *args) {
  fibril_value object = fibril_object();
  (void)args;
  fibril_object_set(object, "stubborn", fibril_number(counts.stubborn));
  fibril_object_set(object, "jobsStarted", fibril_number(counts.jobs_started));
  fibril_object_set(object, "jobsEnded", fibril_number(counts.jobs_ended));
  fibril_object_set(object, "jobsRefused", fibril_number(counts.jobs_refused));
  fibril_object_set(object, "threads", fibril_number(counts.threads));
  fibril_object_set(object, "postsAccepted", fibril_number(counts.posts_accepted));
  fibril_object_set(object, "postsRun", fibril_number(counts.posts_run));
  fibril_object_set(object, "postsRefused", fibril_number(counts.posts_refused));
  fibril_object_set(object, "callsTaken", fibril_number(counts.calls_taken));
  fibril_object_set(object, "callsTold", fibril_number(counts.calls_told));
  return object;
}

static void count_handle(uv_handle_t *handle, void *count) {
  (void)handle;
  (*(int *)count)++;
}

/* Of the whole libuv loop of this thread, Node's own among them. */
static fibril_value count_handles(fibril_args *args) {
  int count = 0;
  (void)args;
  uv_walk(fibril_loop_uv(fibril_loop_current()), count_handle, &count);
  return fibril_number(count);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "waitAgain(fn: Function, options?: {signal?: AbortSignal}): Promise<any[]>",
                wait_again);
  fibril_export(m, "blockedJob(fd: int32): Promise<number>", blocked_job);
  fibril_export(m, "postForEver(threads: uint32): Promise<void>", post_for_ever);
  fibril_export(m, "callForEver(fn: Function, threads: uint32): Promise<void>", call_for_ever);
  fibril_export(m, "counts(): Promise<any>", read_counts);
  fibril_export(m, "countHandles(): Promise<number>", count_handles);
}
