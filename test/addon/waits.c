/* One wait of every kind that there is, for what ends waits: signals, deadlines, the end of a
 * thread. */
#include <fibril.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int live; /* of all threads */

static void leave(void *arg) {
  (void)arg;
  live--;
}

/* What a coroutine of this file has, on its stack. */
typedef struct {
  fibril_args *args;
  fibril_mutex mutex;
  fibril_channel *channel;
} scene;

static fibril_value wait_for_ever(void *arg) {
  (void)arg;
  return fibril_error(fibril_suspend(), NULL);
}

static fibril_value hold_mutex(void *arg) {
  fibril_mutex_lock(arg);
  fibril_suspend();
  fibril_mutex_unlock(arg);
  return fibril_undefined();
}

/* Ends a helper, whatever became of the one it helps. */
static void end_helper(fibril_future *helper) {
  fibril_mask();
  fibril_cancel(helper);
  fibril_await(helper);
  fibril_unmask();
  fibril_future_unref(helper);
}

/* ---- Waits of the core ---- */

static int in_sleep(scene *s) {
  (void)s;
  return fibril_sleep(1e9);
}

static int in_moment(scene *s) {
  int err = 0;
  (void)s;
  while (err == 0) err = fibril_moment();
  return err;
}

static int in_pass(scene *s) {
  int err = 0;
  (void)s;
  while (err == 0) err = fibril_pass();
  return err;
}

static int in_suspend(scene *s) {
  (void)s;
  return fibril_suspend();
}

static int in_future(scene *s) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  (void)s;
  int err = fibril_error_code(fibril_await(future));
  fibril_future_unref(future);
  return err;
}

static int in_await_timeout(scene *s) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  (void)s;
  int err = fibril_error_code(fibril_await_timeout(future, 1e9));
  fibril_future_unref(future);
  return err;
}

static int in_spawned(scene *s) {
  fibril_spawn_options options = {sizeof options, "helper", 0};
  fibril_future *helper = fibril_spawn(wait_for_ever, NULL, &options);
  (void)s;
  int err = fibril_error_code(fibril_await(helper));
  end_helper(helper);
  return err;
}

static int in_await_all(scene *s) {
  fibril_future *futures[3];
  (void)s;
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_for_ever, NULL, NULL);
  int err = fibril_error_code(fibril_await_all(futures, 3));
  for (int i = 0; i < 3; i++) end_helper(futures[i]);
  return err;
}

static int in_await_any(scene *s) {
  fibril_future *futures[3];
  (void)s;
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_for_ever, NULL, NULL);
  int err = fibril_await_any(futures, 3);
  for (int i = 0; i < 3; i++) end_helper(futures[i]);
  return err;
}

static int in_group(scene *s) {
  fibril_group *group = fibril_group_new();
  (void)s;
  for (int i = 0; i < 3; i++) fibril_group_spawn(group, wait_for_ever, NULL, NULL);
  return fibril_error_code(fibril_group_wait(group));
}

static fibril_value sleep_in_generator(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  return fibril_error(fibril_sleep(1e9), NULL);
}

static int in_generator(scene *s) {
  fibril_value value;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), sleep_in_generator, NULL, NULL);
  (void)s;
  fibril_generator_next(generator, &value);
  int err = fibril_error_code(value);
  fibril_generator_unref(generator);
  return err;
}

/* ---- Synchronisation ---- */

static int in_mutex(scene *s) {
  fibril_future *holder = fibril_spawn(hold_mutex, &s->mutex, NULL);
  int err = fibril_mutex_lock(&s->mutex);
  end_helper(holder);
  return err;
}

static int in_cond(scene *s) {
  fibril_cond cond = {{NULL, NULL}};
  fibril_mutex_lock(&s->mutex);
  int err = fibril_cond_wait(&cond, &s->mutex, -1);
  if (fibril_mutex_unlock(&s->mutex) != 0) return UV_EPERM;
  return err;
}

static int in_event(scene *s) {
  fibril_event event = {0};
  (void)s;
  return fibril_event_wait(&event, -1);
}

static int in_sem(scene *s) {
  fibril_sem sem = {0};
  (void)s;
  return fibril_sem_wait(&sem, 1e9);
}

static int in_wait_group(scene *s) {
  fibril_wait_group group = {.count = 1};
  (void)s;
  return fibril_wait_group_wait(&group, -1);
}

static int in_send(scene *s) {
  return fibril_channel_send(s->channel, fibril_string("unsent", 6), -1);
}

static int in_receive(scene *s) {
  fibril_value value;
  return fibril_channel_receive(s->channel, &value, 1e9);
}

/* ---- I/O ---- */

static int in_poll(scene *s) {
  return fibril_poll_fd((int)fibril_arg_integer(s->args, 1), UV_READABLE, -1);
}

typedef struct {
  uv_sem_t stop;
} stoppable;

static void run_until_stopped(void *arg) {
  uv_sem_wait(&((stoppable *)arg)->stop);
}

static void stop(void *arg) {
  uv_sem_post(&((stoppable *)arg)->stop);
}

/* Runs in the pool when the pool has room, so that there is something to interrupt. */
static int in_work(scene *s) {
  stoppable work;
  fibril_work_options options = {sizeof options, "stoppable", NULL, stop};
  (void)s;
  uv_sem_init(&work.stop, 0);
  int err = fibril_work_with(run_until_stopped, &work, &options);
  uv_sem_destroy(&work.stop);
  return err;
}

static int in_open(scene *s) {
  (void)s;
  int fd = fibril_fs_open("/dev/null", O_RDONLY, 0);
  return fd < 0 ? fd : fibril_fs_close(fd);
}

/* The others need a descriptor; it is opened without the pool. */
static int with_descriptor(int (*run)(int fd)) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  int err = run(fd);
  int closed = fibril_fs_close(fd);
  return closed != 0 ? closed : err;
}

static int read_one(int fd) {
  char byte;
  return (int)fibril_fs_read(fd, &byte, 1, -1);
}

static int write_one(int fd) {
  return (int)fibril_fs_write(fd, "x", 1, -1);
}

static int stat_open(int fd) {
  uv_stat_t stat;
  return fibril_fs_fstat(fd, &stat);
}

static int in_read(scene *s) {
  (void)s;
  return with_descriptor(read_one);
}

static int in_write(scene *s) {
  (void)s;
  return with_descriptor(write_one);
}

static int in_fstat(scene *s) {
  (void)s;
  return with_descriptor(stat_open);
}

static int in_stat(scene *s) {
  uv_stat_t stat;
  (void)s;
  return fibril_fs_stat("/", &stat);
}

static int in_lstat(scene *s) {
  uv_stat_t stat;
  (void)s;
  return fibril_fs_lstat("/", &stat);
}

static void ignore_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)name;
  (void)type;
  (void)arg;
}

static int in_readdir(scene *s) {
  (void)s;
  return fibril_fs_readdir("/", ignore_entry, NULL);
}

/* ---- JavaScript ---- */

static int in_call(scene *s) {
  return fibril_error_code(fibril_call(fibril_arg(s->args, 2), NULL, 0));
}

/* Not in the call's first segment. */
static int in_later_call(scene *s) {
  int err = fibril_moment();
  return err != 0 ? err : in_call(s);
}

static const struct {
  const char *name;
  int (*run)(scene *s);
} waits[] = {
    {"sleep", in_sleep},
    {"moment", in_moment},
    {"pass", in_pass},
    {"suspend", in_suspend},
    {"future", in_future},
    {"awaitTimeout", in_await_timeout},
    {"spawned", in_spawned},
    {"awaitAll", in_await_all},
    {"awaitAny", in_await_any},
    {"group", in_group},
    {"generator", in_generator},
    {"mutex", in_mutex},
    {"cond", in_cond},
    {"event", in_event},
    {"sem", in_sem},
    {"waitGroup", in_wait_group},
    {"send", in_send},
    {"receive", in_receive},
    {"poll", in_poll},
    {"work", in_work},
    {"open", in_open},
    {"read", in_read},
    {"write", in_write},
    {"fstat", in_fstat},
    {"stat", in_stat},
    {"lstat", in_lstat},
    {"readdir", in_readdir},
    {"call", in_call},
    {"laterCall", in_later_call},
};

static int run_wait(const char *kind, scene *s) {
  for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
    if (strcmp(waits[i].name, kind) == 0) return waits[i].run(s);
  return UV_ENOSYS;
}

/* wait(kind, fd, fn, {signal, deadline}) */
static fibril_value wait_in(fibril_args *args) {
  scene s = {.args = args};
  double deadline = fibril_value_number(fibril_arg_option(args, 3, "deadline"));
  int err = fibril_defer(leave, NULL);
  if (err != 0) return fibril_error(err, NULL);
  live++;
  if (!isnan(deadline)) err = fibril_deadline_push(deadline);
  s.channel = fibril_channel_new(0);
  if (err == 0) err = run_wait(fibril_arg_string(args, 0), &s);
  fibril_channel_free(s.channel);
  return err < 0 ? fibril_error(err, NULL) : fibril_number(err);
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
  fibril_export(m, "block(): Promise<void>", block);
  fibril_export(m, "countBlocked(): Promise<number>", count_blocked);
  fibril_export(m, "letGo(jobs: int32): Promise<void>", let_go);
  fibril_export(m, "countWaits(): Promise<number>", count_waits);
}
