/* Descriptors and the pool. A completed operation gives its result, whatever came at the same time:
 * no byte is lost, no descriptor, no job that ran. */
#define _GNU_SOURCE
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct {
  bool slow, ran;
} job;

static void on_post(void *arg) {
  (void)arg;
  REQUIRE(fibril_coroutine_self() == NULL);
}

static void run_job(void *arg) {
  job *one = arg;
  if (one->slow) usleep(200);
  fibril_post(world.poster, on_post, NULL);
  one->ran = true;
}

static void interrupt(void *arg) {
  (void)arg;
}

void step_work(player *p) {
  job one = {.slow = fuzz_once_in(2)};
  fibril_work_options options = {.size = sizeof options,
                                 .limit = fuzz_once_in(2) ? &world.jobs : NULL,
                                 .interrupt = fuzz_once_in(2) ? interrupt : NULL};
  int err = fibril_work_with(run_job, &one, &options);
  REQUIRE(one.ran == (err == 0));
  player_waited(p, err, false);
}

void step_poll(player *p) {
  int *ends = world.pipes[fuzz_below(PIPES)];
  char byte;
  int events = fibril_poll_fd(ends[0], UV_READABLE, fuzz_below(4));
  if (events > 0)
    (void)!read(ends[0], &byte, 1);
  else if (events != UV_EEXIST && events != UV_EBADF)
    player_waited(p, events, true);
  if (fuzz_once_in(2)) (void)!write(world.pipes[fuzz_below(PIPES)][1], "x", 1);
}

/* One that is left open is closed by its player's end. */
void step_kept_poll(player *p) {
  static const int wanted[] = {UV_READABLE, UV_DISCONNECT, UV_READABLE | UV_WRITABLE};
  int fd = world.pipes[fuzz_below(PIPES)][fuzz_once_in(4)], events = 1;
  fibril_poll *poll;
  char byte;
  if (fibril_poll_open(fd, &poll) != 0) return;
  fibril_poll_ref(poll);
  if (fuzz_once_in(4)) fibril_poll_unhold(poll);
  for (int i = fuzz_below(4); i > 0 && events > 0 && fibril_deadline_push(fuzz_below(3)) == 0;
       i--) {
    events = fibril_poll_wait(poll, wanted[fuzz_below(3)]);
    fibril_deadline_pop();
    if (events > 0 && fuzz_once_in(2)) (void)!read(fd, &byte, 1);
  }
  if (events < 0 && events != UV_EBADF) player_waited(p, events, true);
  if (!fuzz_once_in(3)) fibril_poll_close(poll);
  fibril_poll_unref(poll);
}

static void on_events(int fd, int events, void *arg) {
  char byte;
  (void)arg;
  if (events > 0) (void)!read(fd, &byte, 1);
  if (events < 0 || fuzz_once_in(3)) fibril_loop_remove_handler(world.loop, fd);
}

void step_handler(player *p) {
  (void)p;
  int fd = world.pipes[fuzz_below(PIPES)][0];
  int events = fuzz_once_in(2) ? UV_READABLE : UV_READABLE | UV_DISCONNECT;
  switch (fuzz_below(3)) {
    case 0: fibril_loop_add_handler(world.loop, fd, events, on_events, NULL); break;
    case 1: fibril_loop_update_handler(world.loop, fd, events); break;
    default: fibril_loop_remove_handler(world.loop, fd); break;
  }
}

/* A pipe goes away under whoever waits for it, and its numbers may be another one's at once. */
void step_vanish(player *p) {
  (void)p;
  if (!fuzz_once_in(4)) return;
  int *ends = world.pipes[fuzz_below(PIPES)];
  close(ends[0]);
  close(ends[1]);
  REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
}

void step_file(player *p) {
  char buffer[16];
  int64_t length = fibril_fs_read(world.file, buffer, sizeof buffer, -1);
  if (length >= 0)
    world.file_read += length;
  else
    player_waited(p, (int)length, false);
}

void step_open(player *p) {
  int fd = fibril_fs_open("/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    player_waited(p, fd, false);
    return;
  }
  char buffer[16];
  int64_t length = fibril_fs_read(fd, buffer, sizeof buffer, -1);
  if (length < 0) player_waited(p, (int)length, false);
  REQUIRE(fibril_fs_close(fd) == 0);
}

static void count_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)name;
  (void)type;
  ++*(int *)arg;
}

void step_realpath(player *p) {
  char path[32];
  size_t size = fuzz_once_in(2) ? 4 : sizeof path;
  size_t room = size;
  int err = fibril_fs_realpath("/proc/./self", path, &size);
  if (err == 0)
    REQUIRE(size < room && path[size] == '\0');
  else if (err == UV_ENOBUFS)
    REQUIRE(size > room);
  else
    player_waited(p, err, false);
}

void step_list(player *p) {
  int entries = 0, count = fibril_fs_readdir("/proc/self/task", count_entry, &entries);
  REQUIRE(entries == (count < 0 ? 0 : count));
  if (count < 0) player_waited(p, count, false);
}
