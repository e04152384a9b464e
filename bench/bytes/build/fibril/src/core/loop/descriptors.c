#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dup3, EPOLLRDHUP */
#endif

#include "descriptors.h"

#include "host.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

/* A sweep asks the system about no more than so many, so that ten thousand idle connections cost
 * next to nothing. */
#define SWEPT_AT_ONCE 256

struct fibril__descriptors {
  fibril_loop *loop;
  int epoll;
  uv_poll_t poll;   /* of the set: active for good, referenced while `held` is more than 0 */
  uv_timer_t sweep; /* active while anything is watched */
  unsigned held;    /* that keep the loop alive */
  unsigned closing; /* handles */
  uint32_t serial, stops;
  int next;  /* where the next sweep begins */
  int count; /* of places: one more than the largest descriptor watched */
  fibril__watcher **by_fd;
};

static fibril__descriptors *set_of(const fibril_loop *loop) {
  return fibril__whole_of(loop)->descriptors;
}

/* ---- The set ---- */

static const struct {
  int uv;
  uint32_t epoll;
} names[] = {{UV_READABLE, EPOLLIN},
             {UV_WRITABLE, EPOLLOUT},
             {UV_DISCONNECT, EPOLLRDHUP},
             {UV_PRIORITIZED, EPOLLPRI}};
#define NAMES (sizeof names / sizeof names[0])

/* The system reports errors and hang-ups of one that rests, too: once is enough. */
static int control(const fibril__watcher *watcher, int operation) {
  struct epoll_event event = {.data.u64 = (uint64_t)watcher->serial << 32 | (uint32_t)watcher->fd};
  if (watcher->events == 0) event.events = EPOLLET;
  for (size_t i = 0; i < NAMES; i++)
    if (watcher->events & names[i].uv) event.events |= names[i].epoll;
  int err = epoll_ctl(set_of(watcher->loop)->epoll, operation, watcher->fd, &event);
  return err == 0 ? 0 : uv_translate_sys_error(errno);
}

/* An entry may be left of a descriptor that was closed, and come back with the same number. */
static int enter_set(fibril__watcher *watcher) {
  fibril__descriptors *set = set_of(watcher->loop);
  if (++set->serial == 0) set->serial = 1;
  watcher->serial = set->serial;
  int err = control(watcher, EPOLL_CTL_ADD);
  if (err == UV_EEXIST) err = control(watcher, EPOLL_CTL_MOD);
  if (err != 0) watcher->serial = 0;
  if (err == 0 && !watcher->unheld && set->held++ == 0) uv_ref((uv_handle_t *)&set->poll);
  return err;
}

static void leave_set(fibril__watcher *watcher) {
  fibril__descriptors *set = set_of(watcher->loop);
  if (watcher->serial == 0) return;
  control(watcher, EPOLL_CTL_DEL);
  watcher->serial = 0;
  set->stops++;
  if (!watcher->unheld && --set->held == 0) uv_unref((uv_handle_t *)&set->poll);
}

void fibril__watcher_hold(fibril__watcher *watcher, bool held) {
  fibril__descriptors *set = set_of(watcher->loop);
  if (watcher->unheld != held) return;
  watcher->unheld = !held;
  if (watcher->serial == 0) return;
  if (held && set->held++ == 0) uv_ref((uv_handle_t *)&set->poll);
  if (!held && --set->held == 0) uv_unref((uv_handle_t *)&set->poll);
}

static void on_sweep(uv_timer_t *timer);

static void sweep_within(fibril__descriptors *set, uint64_t ms) {
  bool sooner = ms == 0 || !uv_is_active((uv_handle_t *)&set->sweep);
  if (sooner) uv_timer_start(&set->sweep, on_sweep, ms, 0);
  if (ms == 0) uv_ref((uv_handle_t *)&set->sweep); /* somebody is to be told */
}

bool fibril__watcher_alive(const fibril__watcher *watcher) {
  return watcher->serial != 0 && control(watcher, EPOLL_CTL_MOD) == 0;
}

/* It hears of that in a sweep, at once. */
static void lose(fibril__watcher *watcher) {
  leave_set(watcher);
  watcher->lost = true;
  sweep_within(set_of(watcher->loop), 0);
}

static void fail(fibril__watcher *watcher) {
  leave_set(watcher);
  watcher->lost = false;
  watcher->ready(watcher, UV_EBADF);
}

/* The entry of a descriptor that was closed stays where a duplicate of it is open, and can't be
 * removed: only a new set gets rid of it. If there is none to be had, another time. Who has gone is
 * asked for in the old one, which knows descriptors from numbers. */
static void renew(fibril__descriptors *set) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return;
  for (int fd = 0; fd < set->count; fd++) {
    fibril__watcher *watcher = set->by_fd[fd];
    if (watcher == NULL || watcher->serial == 0) continue;
    if (!fibril__watcher_alive(watcher)) lose(watcher);
  }
  uv_poll_stop(&set->poll);
  dup3(epoll, set->epoll, O_CLOEXEC);
  close(epoll);
  for (int fd = 0; fd < set->count; fd++) {
    fibril__watcher *watcher = set->by_fd[fd];
    if (watcher != NULL && watcher->serial != 0 && control(watcher, EPOLL_CTL_ADD) != 0)
      lose(watcher);
  }
}

/* ---- What happens ---- */

/* As libuv reads events: an error stands alone, and what was hung up is ready for all. */
static void deliver_events(fibril__watcher *watcher, uint32_t events) {
  bool failed = (events & (EPOLLERR | EPOLLPRI)) == EPOLLERR;
  int ready = 0;
  if (watcher->events == 0) return;
  for (size_t i = 0; i < NAMES && !failed; i++)
    if (events & names[i].epoll) ready |= watcher->events & names[i].uv;
  if (failed && !watcher->steady)
    fail(watcher);
  else
    watcher->ready(watcher, ready != 0 ? ready : watcher->events);
}

/* Whoever is told may close the loop, and turn it until that is done. */
static void on_set_ready(uv_poll_t *poll, int status, int unused) {
  fibril__descriptors *set = poll->data;
  fibril_loop *loop = set->loop;
  struct epoll_event events[EVENTS_AT_ONCE];
  (void)status;
  (void)unused;
  uint32_t stops = set->stops;
  bool stale = false;
  int count = epoll_wait(set->epoll, events, EVENTS_AT_ONCE, 0);
  fibril__loop_ref(loop);
  for (int i = 0; i < count; i++) {
    fibril__watcher *watcher = fibril__watcher_find(loop, (int)(uint32_t)events[i].data.u64);
    if (watcher != NULL && watcher->serial == events[i].data.u64 >> 32)
      deliver_events(watcher, events[i].events);
    else
      stale = true;
  }
  /* One of these handlers may have stopped another. */
  if (set_of(loop) == set && stale && set->stops == stops) {
    renew(set);
    uv_poll_start(&set->poll, UV_READABLE, on_set_ready);
  }
  fibril__loop_unref(loop);
}

/* Tells those that are known to have gone, and looks at the next ones of the others. */
static void on_sweep(uv_timer_t *timer) {
  fibril__descriptors *set = timer->data;
  fibril_loop *loop = set->loop;
  int asked = 0, first = set->next, count = set->count;
  bool any = false;
  uv_unref((uv_handle_t *)timer);
  fibril__loop_ref(loop);
  for (int i = 0; set_of(loop) == set && i < count; i++) {
    int fd = (first + i) % count;
    fibril__watcher *watcher = fibril__watcher_find(loop, fd);
    if (watcher == NULL || (watcher->serial == 0 && !watcher->lost)) continue;
    any = true;
    if (!watcher->lost && asked++ >= SWEPT_AT_ONCE) continue;
    if (!watcher->lost) set->next = fd + 1;
    if (fibril__watcher_alive(watcher)) continue;
    watcher->was_blocking = false;
    fail(watcher);
  }
  if (set_of(loop) == set && any) sweep_within(set, FIBRIL__SWEEP_MS);
  fibril__loop_unref(loop);
}

/* ---- Watchers ---- */

fibril__watcher *fibril__watcher_find(const fibril_loop *loop, int fd) {
  const fibril__descriptors *set = set_of(loop);
  return set != NULL && fd >= 0 && fd < set->count ? set->by_fd[fd] : NULL;
}

static int start_polling(fibril__descriptors *set) {
  int err = uv_poll_init(set->loop->uv, &set->poll, set->epoll);
  if (err != 0) return err;
  set->poll.data = set->sweep.data = set;
  uv_timer_init(set->loop->uv, &set->sweep);
  uv_poll_start(&set->poll, UV_READABLE, on_set_ready);
  uv_unref((uv_handle_t *)&set->poll);
  uv_unref((uv_handle_t *)&set->sweep);
  fibril__loop_handle_opened(set->loop);
  fibril__loop_handle_opened(set->loop);
  return 0;
}

static int make_set(fibril_loop *loop) {
  if (set_of(loop) != NULL) return 0;
  fibril__descriptors *set = calloc(1, sizeof *set);
  if (set == NULL) return UV_ENOMEM;
  set->loop = loop;
  set->epoll = epoll_create1(EPOLL_CLOEXEC);
  int err = set->epoll < 0 ? uv_translate_sys_error(errno) : start_polling(set);
  if (err == 0) {
    fibril__whole_of(loop)->descriptors = set;
    return 0;
  }
  if (set->epoll >= 0) close(set->epoll);
  free(set);
  return err;
}

static int make_room(fibril__descriptors *set, int fd) {
  if (fd < set->count) return 0;
  int count = fd < 2 * set->count ? 2 * set->count : fd + 32;
  fibril__watcher **by_fd = realloc(set->by_fd, (size_t)count * sizeof(*by_fd));
  if (by_fd == NULL) return UV_ENOMEM;
  memset(by_fd + set->count, 0, (size_t)(count - set->count) * sizeof(*by_fd));
  set->by_fd = by_fd;
  set->count = count;
  return 0;
}

static int make_nonblocking(fibril__watcher *watcher) {
  int flags = fcntl(watcher->fd, F_GETFL);
  if (flags < 0) return uv_translate_sys_error(errno);
  if (flags & O_NONBLOCK) return 0;
  if (fcntl(watcher->fd, F_SETFL, flags | O_NONBLOCK) != 0) return uv_translate_sys_error(errno);
  watcher->was_blocking = true;
  return 0;
}

int fibril__watcher_start(fibril__watcher *watcher) {
  fibril_loop *loop = watcher->loop;
  int err = make_set(loop);
  if (err != 0) return err;
  fibril__watcher *other = fibril__watcher_find(loop, watcher->fd);
  if (other != NULL) {
    if (fibril__watcher_alive(other)) return UV_EEXIST;
    set_of(loop)->by_fd[other->fd] = NULL; /* the number is another descriptor's by now */
    fibril__loop_ref(loop);
    other->replaced(other);
    bool ended = set_of(loop) == NULL;
    fibril__loop_unref(loop);
    if (ended) return FIBRIL_ECLOSED;
    if (fibril__watcher_find(loop, watcher->fd) != NULL) return UV_EEXIST;
  }
  err = enter_set(watcher);
  if (err != 0) return err;
  err = make_room(set_of(loop), watcher->fd);
  if (err == 0) err = make_nonblocking(watcher);
  if (err != 0) {
    leave_set(watcher);
    return err;
  }
  set_of(loop)->by_fd[watcher->fd] = watcher;
  sweep_within(set_of(loop), FIBRIL__SWEEP_MS);
  return 0;
}

void fibril__watcher_change(fibril__watcher *watcher, int events) {
  watcher->events = events;
  watcher->lost = false;
  if (fibril__watcher_alive(watcher)) return;
  if (watcher->serial != 0) watcher->was_blocking = false;
  leave_set(watcher);
  if (!watcher->steady && enter_set(watcher) == 0) {
    make_nonblocking(watcher);
    sweep_within(set_of(watcher->loop), FIBRIL__SWEEP_MS);
    return;
  }
  watcher->lost = true;
  sweep_within(set_of(watcher->loop), 0);
}

void fibril__watcher_stop(fibril__watcher *watcher) {
  leave_set(watcher);
  watcher->lost = false;
  if (fibril__watcher_find(watcher->loop, watcher->fd) == watcher)
    set_of(watcher->loop)->by_fd[watcher->fd] = NULL;
}

void fibril__descriptor_block(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

void fibril__watcher_give_back(fibril__watcher *watcher) {
  if (watcher->was_blocking && fibril__watcher_alive(watcher))
    fibril__descriptor_block(watcher->fd);
  fibril__watcher_stop(watcher);
}

void fibril__descriptor_closed(fibril_loop *loop, int fd) {
  fibril__watcher *watcher = fibril__watcher_find(loop, fd);
  if (watcher != NULL && watcher->serial != 0 && !fibril__watcher_alive(watcher)) lose(watcher);
}

/* ---- The end ---- */

static void on_set_closed(uv_handle_t *handle) {
  fibril__descriptors *set = handle->data;
  fibril_loop *loop = set->loop;
  if (--set->closing == 0) free(set);
  fibril__loop_handle_closed(loop);
}

void fibril__descriptors_close(fibril_loop *loop, void (*stop)(fibril__watcher *watcher)) {
  fibril__descriptors *set = set_of(loop);
  if (set == NULL) return;
  for (int fd = 0; fd < set->count; fd++)
    if (set->by_fd[fd] != NULL) stop(set->by_fd[fd]);
  fibril__whole_of(loop)->descriptors = NULL;
  set->closing = 2;
  uv_close((uv_handle_t *)&set->poll, on_set_closed);
  uv_close((uv_handle_t *)&set->sweep, on_set_closed);
  close(set->epoll);
  free(set->by_fd);
}
