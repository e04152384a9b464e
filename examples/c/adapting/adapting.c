/* What is there already, as awaits: a function with a callback, a descriptor, a function that
 * blocks. docs/adapting.md tells the story. */
#include <fibril.h>

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* ---- A callback ---- */

static void on_random(uv_random_t *request, int status, void *buffer, size_t length) {
  (void)buffer, (void)length;
  fibril_future_set_result(request->data, fibril_number(status));
}

/* uv_random, waited for: 0 or a negative code. */
static int await_random(void *buffer, size_t length) {
  fibril_loop *loop = fibril_loop_current();
  fibril_future *future = fibril_future_new(loop);
  if (future == NULL) return UV_ENOMEM;
  uv_random_t request = {.data = future};
  int err = uv_random(fibril_loop_uv(loop), &request, buffer, length, 0, on_random);
  fibril_mask(); /* until it calls back, libuv uses the request and the buffer */
  if (err == 0) err = (int)fibril_value_number(fibril_await(future));
  fibril_unmask();
  fibril_future_unref(future);
  return err;
}

static fibril_value random_bytes(fibril_args *args) {
  unsigned char bytes[256];
  size_t length = (size_t)fibril_arg_integer(args, 0);
  if (length > sizeof bytes)
    return fibril_error_type("RangeError", "ERR_OUT_OF_RANGE", "At most %zu bytes", sizeof bytes);
  int err = await_random(bytes, length);
  return err != 0 ? fibril_error_uv(err, "random", NULL) : fibril_buffer(bytes, length);
}

/* ---- A descriptor ---- */

/* The name of the first file in a folder that changes. */
static fibril_value wait_for_change(int fd, const char *path) {
  _Alignas(struct inotify_event) char buffer[sizeof(struct inotify_event) + NAME_MAX + 1];
  if (inotify_add_watch(fd, path, IN_CLOSE_WRITE) < 0)
    return fibril_error_uv(uv_translate_sys_error(errno), "inotify_add_watch", path);
  for (;;) {
    int events = fibril_poll_fd(fd, UV_READABLE, -1);
    if (events < 0) return fibril_error_uv(events, "poll", path);
    ssize_t length = read(fd, buffer, sizeof buffer);
    if (length > 0)
      return fibril_string(((struct inotify_event *)(void *)buffer)->name, FIBRIL_AUTO_LENGTH);
    if (errno != EAGAIN) return fibril_error_uv(uv_translate_sys_error(errno), "read", path);
  }
}

static fibril_value next_change(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fibril_error_uv(uv_translate_sys_error(errno), "inotify_init1", NULL);
  fibril_value name = wait_for_change(fd, path);
  close(fd);
  return name;
}

/* ---- A function that blocks ---- */

typedef struct {
  const char *pattern;
  glob_t found;
  int status;
} glob_job;

static void run_glob(void *arg) {
  glob_job *job = arg;
  job->status = glob(job->pattern, 0, NULL, &job->found);
}

static fibril_value find(fibril_args *args) {
  glob_job job = {.pattern = fibril_arg_string(args, 0)};
  int err = fibril_work(run_glob, &job);
  if (err == 0 && job.status == GLOB_NOSPACE) err = UV_ENOMEM;
  fibril_value paths = fibril_array(job.found.gl_pathc);
  for (size_t i = 0; err == 0 && i < job.found.gl_pathc; i++)
    err = fibril_array_push(paths, fibril_string(job.found.gl_pathv[i], FIBRIL_AUTO_LENGTH));
  globfree(&job.found); /* whatever has happened: the job has not begun, or is over */
  return err != 0 ? fibril_error(err, NULL) : paths;
}

FIBRIL_MODULE(m) {
  fibril_export(m, "randomBytes(length: uint32): Promise<Buffer>", random_bytes);
  fibril_export(m, "nextChange(folder: path, options?: {signal?: AbortSignal}): Promise<string>",
                next_change);
  fibril_export(m, "find(pattern: string, options?: {signal?: AbortSignal}): Promise<string[]>",
                find);
}
