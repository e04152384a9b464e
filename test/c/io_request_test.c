/* The one way in which io waits, with operations of libuv that fibril has no function for: a
 * callback, a handle, a stream, a watcher, a lookup that nobody waits for any more. */
#include "test.h"

#include "../../src/core/loop/loop.h"
#include "../../src/io/request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kinds of waits, for as long as the process. */
static int begin(fibril__request *request, const char *name, fibril__stop_fn stop) {
  static fibril__wait_kind kinds[16];
  int i = 0;
  while (kinds[i].name != NULL && strcmp(kinds[i].name, name) != 0) i++;
  kinds[i].name = name;
  return fibril__request_begin(request, &kinds[i], stop);
}

static int result_of(fibril_future *future) {
  fibril_value value = fibril_await(future);
  return fibril_is_error(value) ? fibril_error_code(value) : (int)fibril_value_number(value);
}

/* ---- The pool is full, so that what is given to it stays queued ---- */

#define BLOCKED 4 /* the pool's threads, when nobody says otherwise */

typedef struct {
  uv_work_t works[BLOCKED];
  uv_sem_t go;
  int started;
} crowd;

static crowd full;

static void wait_for_go(uv_work_t *work) {
  (void)work;
  uv_sem_wait(&full.go);
}

static void on_gone(uv_work_t *work, int status) {
  (void)work;
  (void)status;
  if (--full.started == 0) uv_sem_destroy(&full.go);
}

static bool fill_pool(fibril_loop *loop) {
  if (getenv("UV_THREADPOOL_SIZE") != NULL) return !CHECK(true);
  uv_sem_init(&full.go, 0);
  for (int i = 0; i < BLOCKED; i++)
    if (uv_queue_work(loop->uv, &full.works[i], wait_for_go, on_gone) == 0) full.started++;
  return CHECK_INT(full.started, BLOCKED);
}

static void empty_pool(void) {
  for (int i = 0; i < BLOCKED; i++) uv_sem_post(&full.go);
}

/* ---- A request of libuv's that can be taken back while it is queued ---- */

typedef struct {
  fibril__request request;
  uv_fs_t req;
  int stops;
} lookup_of_file;

static void on_file_looked_up(uv_fs_t *req) {
  lookup_of_file *self = FIBRIL__CONTAINER(lookup_of_file, req, req);
  fibril__request_end(&self->request, (int)req->result);
}

static bool stop_file_lookup(fibril__request *request) {
  lookup_of_file *self = FIBRIL__CONTAINER(lookup_of_file, request, request);
  self->stops++;
  uv_cancel((uv_req_t *)&self->req);
  return false;
}

static int look_up_file(lookup_of_file *self, const char *path) {
  int err = begin(&self->request, "stat", stop_file_lookup);
  if (err != 0) return err;
  int started = uv_fs_stat(fibril_loop_current()->uv, &self->req, path, on_file_looked_up);
  int result = fibril__request_wait(&self->request, started);
  uv_fs_req_cleanup(&self->req);
  return result;
}

static fibril_value look_up(void *path) {
  lookup_of_file self = {.stops = 0};
  int err = look_up_file(&self, path);
  CHECK(self.stops <= 1);
  return fibril_number(err);
}

static fibril_value look_up_both(void *arg) {
  (void)arg;
  CHECK_INT(fibril_value_number(look_up("/")), 0);
  CHECK_INT(fibril_value_number(look_up("/no/such/file")), UV_ENOENT);
  return fibril_undefined();
}

LOOP_TEST(a_request_gives_what_its_callback_says) {
  CHECK_INT(fibril_loop_run_sync(loop, look_up_both, NULL, 0, NULL), 0);
}

static fibril_value look_up_in_time(void *arg) {
  fibril_deadline_push(5);
  fibril_value result = look_up(arg);
  fibril_deadline_pop();
  return result;
}

static fibril_value cancel_queued(void *arg) {
  (void)arg;
  fibril_future *cancelled = fibril_spawn(look_up, "/", NULL);
  fibril_future *late = fibril_spawn(look_up_in_time, "/", NULL);
  fibril_moment();
  fibril_cancel(cancelled);
  fibril_cancel(cancelled);
  CHECK_INT(result_of(cancelled), UV_ECANCELED);
  CHECK_INT(result_of(late), UV_ETIMEDOUT);
  fibril_future_unref(cancelled);
  fibril_future_unref(late);
  return fibril_undefined();
}

LOOP_TEST(a_request_is_taken_back_where_libuv_can) {
  if (!fill_pool(loop)) return;
  CHECK_INT(fibril_loop_run_sync(loop, cancel_queued, NULL, 0, NULL), 0);
  empty_pool();
}

/* ---- One that has been begun ---- */

typedef struct {
  fibril__request request;
  uv_timer_t *timer;
  int stops;
} ticking;

static void on_tick(uv_timer_t *timer) {
  fibril__request_end(timer->data, 0);
  fibril__request_end(timer->data, UV_EIO); /* it has ended */
}

static bool count_stop(fibril__request *request) {
  FIBRIL__CONTAINER(ticking, request, request)->stops++;
  return false;
}

static void on_handle_closed(uv_handle_t *handle) {
  fibril__request_end(handle->data, 0);
}

/* For one that was cancelled, too. */
static void close_handle(uv_handle_t *handle) {
  fibril__request request;
  handle->data = &request;
  fibril_mask();
  int err = begin(&request, "close", NULL);
  if (CHECK_INT(err, 0)) {
    uv_close(handle, on_handle_closed);
    CHECK_INT(fibril__request_wait(&request, 0), 0);
  }
  fibril_unmask();
}

static fibril_value tick(void *stop) {
  uv_timer_t timer;
  ticking self = {.stops = 0};
  uv_timer_init(fibril_loop_current()->uv, &timer);
  timer.data = &self.request;
  int err = begin(&self.request, "tick", stop == NULL ? NULL : count_stop);
  if (err == 0) err = fibril__request_wait(&self.request, uv_timer_start(&timer, on_tick, 20, 0));
  CHECK_INT(self.stops, stop != NULL);
  CHECK_INT(err, 0);
  CHECK_INT(fibril_sleep(0), UV_ECANCELED);
  close_handle((uv_handle_t *)&timer);
  return fibril_number(err);
}

static fibril_value cancel_ticks(void *arg) {
  fibril_future *asked = fibril_spawn(tick, arg, NULL), *deaf = fibril_spawn(tick, NULL, NULL);
  for (int i = 0; i < 2; i++) {
    fibril_cancel(asked);
    fibril_cancel(deaf);
    fibril_moment();
  }
  CHECK_INT(result_of(asked), 0);
  CHECK_INT(result_of(deaf), 0);
  fibril_future_unref(asked);
  fibril_future_unref(deaf);
  return fibril_undefined();
}

LOOP_TEST(a_request_that_completes_gives_its_result_and_the_next_wait_is_cancelled) {
  CHECK_INT(fibril_loop_run_sync(loop, cancel_ticks, loop, 0, NULL), 0);
}

/* ---- One that nobody waits for any more ---- */

typedef struct {
  uv_getaddrinfo_t req;
  fibril__request *request; /* NULL: who waited has left */
  fibril_loop *loop;
  int port;
} name_lookup;

typedef struct {
  fibril__request request;
  name_lookup *lookup;
} name_wait;

static int lookups_left;

static void on_name(uv_getaddrinfo_t *req, int status, struct addrinfo *found) {
  name_lookup *self = FIBRIL__CONTAINER(name_lookup, req, req);
  if (self->request != NULL) {
    name_wait *wait = FIBRIL__CONTAINER(name_wait, request, self->request);
    wait->lookup = NULL;
    fibril__request_end(self->request, found == NULL ? status : 0);
  } else {
    lookups_left++;
  }
  uv_freeaddrinfo(found);
  fibril__loop_handle_closed(self->loop);
  free(self);
}

static bool leave_lookup(fibril__request *request) {
  FIBRIL__CONTAINER(name_wait, request, request)->lookup->request = NULL;
  return true;
}

static int start_lookup(name_wait *wait, const char *host) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
  name_lookup *self = calloc(1, sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  self->loop = wait->request.waiter->loop;
  self->request = &wait->request;
  wait->lookup = self;
  int err = uv_getaddrinfo(self->loop->uv, &self->req, on_name, host, NULL, &hints);
  if (err != 0)
    free(self);
  else
    fibril__loop_handle_opened(self->loop);
  return err;
}

static fibril_value look_up_name(void *host) {
  name_wait wait;
  int err = begin(&wait.request, "lookup", leave_lookup);
  if (err == 0) err = fibril__request_wait(&wait.request, start_lookup(&wait, host));
  return fibril_number(err);
}

static fibril_value look_up_names(void *arg) {
  (void)arg;
  CHECK_INT(fibril_value_number(look_up_name("127.0.0.1")), 0);
  CHECK(fibril_value_number(look_up_name("no address")) < 0);
  return fibril_undefined();
}

LOOP_TEST(a_lookup_gives_what_it_finds) {
  CHECK_INT(fibril_loop_run_sync(loop, look_up_names, NULL, 0, NULL), 0);
}

static fibril_value leave_names(void *arg) {
  (void)arg;
  fibril_future *left = fibril_spawn(look_up_name, "127.0.0.1", NULL);
  fibril_moment();
  fibril_cancel(left);
  CHECK_INT(result_of(left), UV_ECANCELED);
  CHECK_INT(lookups_left, 0);
  fibril_future_unref(left);
  return fibril_undefined();
}

static void on_loop_closed(void *closed) {
  CHECK_INT(lookups_left, 1);
  *(bool *)closed = true;
}

TEST(a_lookup_is_left_alone_and_the_loop_ends_after_it) {
  uv_loop_t uv;
  fibril_loop *own;
  bool closed = false;
  lookups_left = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  if (fill_pool(own)) {
    CHECK_INT(fibril_loop_run_sync(own, leave_names, NULL, 0, NULL), 0);
    CHECK_INT(lookups_left, 0);
    empty_pool();
  } else {
    lookups_left++;
  }
  CHECK_INT(fibril_loop_close(own, on_loop_closed, &closed), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- Streams ---- */

typedef struct {
  uv_tcp_t tcp;
  fibril__request *reader;
  uv_buf_t room;
  int count; /* what was read */
} stream;

static void on_done_writing(uv_write_t *req, int status) {
  fibril__request_end(req->data, status);
}

static void on_connected(uv_connect_t *req, int status) {
  fibril__request_end(req->data, status);
}

static void on_connection(uv_stream_t *server, int status) {
  fibril__request_end(server->data, status);
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  (void)size;
  *buf = FIBRIL__CONTAINER(stream, tcp, (uv_tcp_t *)handle)->room;
}

static void on_data(uv_stream_t *handle, ssize_t count, const uv_buf_t *buf) {
  stream *self = FIBRIL__CONTAINER(stream, tcp, (uv_tcp_t *)handle);
  (void)buf;
  if (count == 0) return;
  uv_read_stop(handle);
  self->count = count < 0 ? 0 : (int)count;
  fibril__request_end(self->reader, count < 0 && count != UV_EOF ? (int)count : 0);
}

/* One writer, connected before; nothing else is there to close, and so it can't be stopped. */
static int write_all(stream *self, const char *text) {
  fibril__request request;
  uv_write_t req;
  uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));
  req.data = &request;
  int err = begin(&request, "write", NULL);
  if (err != 0) return err;
  return fibril__request_wait(&request,
                              uv_write(&req, (uv_stream_t *)&self->tcp, &buf, 1, on_done_writing));
}

typedef struct {
  fibril__request request;
  stream *stream;
} reading;

static bool stop_reading(fibril__request *request) {
  uv_read_stop((uv_stream_t *)&FIBRIL__CONTAINER(reading, request, request)->stream->tcp);
  return true;
}

static int read_some(stream *self, char *buffer, unsigned length) {
  reading read;
  int err = begin(&read.request, "read", stop_reading);
  if (err != 0) return err;
  read.stream = self;
  self->reader = &read.request;
  self->room = uv_buf_init(buffer, length);
  int started = uv_read_start((uv_stream_t *)&self->tcp, give_room, on_data);
  err = fibril__request_wait(&read.request, started);
  return err != 0 ? err : self->count;
}

static int connect_to(stream *self, const struct sockaddr *address) {
  fibril__request request;
  uv_connect_t req;
  req.data = &request;
  int err = begin(&request, "connect", NULL);
  if (err != 0) return err;
  return fibril__request_wait(&request, uv_tcp_connect(&req, &self->tcp, address, on_connected));
}

static int accept_one(uv_tcp_t *server, stream *client) {
  fibril__request request;
  server->data = &request;
  int err = begin(&request, "accept", NULL);
  if (err != 0) return err;
  err = fibril__request_wait(&request, uv_listen((uv_stream_t *)server, 8, on_connection));
  return err != 0 ? err : uv_accept((uv_stream_t *)server, (uv_stream_t *)&client->tcp);
}

typedef struct {
  uv_tcp_t server;
  stream accepted, connected;
} sockets;

static fibril_value accept_for(void *arg) {
  sockets *s = arg;
  return fibril_number(accept_one(&s->server, &s->accepted));
}

static void talk(sockets *s) {
  char text[16] = "";
  CHECK_INT(write_all(&s->connected, "hello"), 0);
  CHECK_INT(read_some(&s->accepted, text, sizeof text), 5);
  CHECK_STR(text, "hello");
  fibril_deadline_push(5);
  CHECK_INT(read_some(&s->accepted, text, sizeof text), UV_ETIMEDOUT);
  fibril_deadline_pop();
  CHECK_INT(write_all(&s->connected, "again"), 0); /* who was late has consumed nothing */
  CHECK_INT(read_some(&s->accepted, text, sizeof text), 5);
  CHECK_STR(text, "again");
  close_handle((uv_handle_t *)&s->connected.tcp);
  CHECK_INT(read_some(&s->accepted, text, sizeof text), 0);
}

static fibril_value connect_and_talk(void *arg) {
  sockets s;
  struct sockaddr_in address;
  struct sockaddr_storage bound;
  int size = sizeof bound;
  fibril_loop *loop = arg;
  uv_tcp_init(loop->uv, &s.server);
  uv_tcp_init(loop->uv, &s.accepted.tcp);
  uv_tcp_init(loop->uv, &s.connected.tcp);
  uv_ip4_addr("127.0.0.1", 0, &address);
  CHECK_INT(uv_tcp_bind(&s.server, (struct sockaddr *)&address, 0), 0);
  CHECK_INT(uv_tcp_getsockname(&s.server, (struct sockaddr *)&bound, &size), 0);
  fibril_future *accepting = fibril_spawn(accept_for, &s, NULL);
  fibril_moment();
  CHECK_INT(connect_to(&s.connected, (struct sockaddr *)&bound), 0);
  if (CHECK_INT(result_of(accepting), 0)) talk(&s);
  fibril_future_unref(accepting);
  close_handle((uv_handle_t *)&s.accepted.tcp);
  close_handle((uv_handle_t *)&s.server);
  return fibril_undefined();
}

LOOP_TEST(streams_of_libuv_are_waited_for_by_requests) {
  CHECK_INT(fibril_loop_run_sync(loop, connect_and_talk, loop, 0, NULL), 0);
}

/* ---- A watcher of files ---- */

typedef struct {
  fibril__request request;
  uv_fs_event_t event;
} file_watch;

static void on_file_event(uv_fs_event_t *event, const char *name, int events, int status) {
  file_watch *self = FIBRIL__CONTAINER(file_watch, event, event);
  (void)name;
  fibril__request_end(&self->request, status < 0 ? status : events);
}

static bool stop_watching(fibril__request *request) {
  uv_fs_event_stop(&FIBRIL__CONTAINER(file_watch, request, request)->event);
  return true;
}

static int watch_file(const char *path) {
  file_watch self;
  uv_fs_event_init(fibril_loop_current()->uv, &self.event);
  int result = begin(&self.request, "watch", stop_watching);
  if (result == 0)
    result =
        fibril__request_wait(&self.request, uv_fs_event_start(&self.event, on_file_event, path, 0));
  close_handle((uv_handle_t *)&self.event);
  return result;
}

static fibril_value watch(void *path) {
  return fibril_number(watch_file(path));
}

static fibril_value watch_files(void *arg) {
  char path[] = "/tmp/fibril-request-XXXXXX";
  int fd = mkstemp(path);
  (void)arg;
  fibril_future *changed = fibril_spawn(watch, path, NULL);
  fibril_moment();
  CHECK_INT(write(fd, "x", 1), 1);
  CHECK_INT(result_of(changed), UV_CHANGE);
  fibril_future *idle = fibril_spawn(watch, path, NULL);
  fibril_moment();
  fibril_cancel(idle);
  CHECK_INT(result_of(idle), UV_ECANCELED);
  CHECK_INT(watch_file("/no/such/file"), UV_ENOENT);
  fibril_future_unref(changed);
  fibril_future_unref(idle);
  close(fd);
  unlink(path);
  return fibril_undefined();
}

LOOP_TEST(a_watcher_is_waited_for_by_a_request) {
  CHECK_INT(fibril_loop_run_sync(loop, watch_files, NULL, 0, NULL), 0);
}

/* ---- The loop ---- */

static fibril_value begin_in_vain(void *arg) {
  fibril_loop *loop = arg;
  fibril__request request;
  unsigned holds = fibril__whole_of(loop)->post.holds;
  CHECK_INT(begin(&request, "nothing", NULL), 0);
  CHECK_INT(fibril__whole_of(loop)->post.holds, holds + 1);
  CHECK_INT(fibril__request_wait(&request, UV_EMFILE), UV_EMFILE);
  CHECK_INT(fibril__whole_of(loop)->post.holds, holds);
  CHECK_INT(begin(&request, "ready", NULL), 0);
  fibril__request_end(&request, 7);
  CHECK_INT(fibril__whole_of(loop)->post.holds, holds);
  CHECK_INT(fibril__request_wait(&request, 0), 7);
  CHECK_INT(fibril__whole_of(loop)->post.holds, holds);
  return fibril_undefined();
}

LOOP_TEST(a_request_holds_the_loop_until_it_ends) {
  CHECK_INT(fibril_loop_run_sync(loop, begin_in_vain, loop, 0, NULL), 0);
}

LOOP_TEST(a_request_outside_a_coroutine_is_refused) {
  fibril__request request;
  unsigned holds = fibril__whole_of(loop)->post.holds;
  CHECK_INT(begin(&request, "nothing", NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril__whole_of(loop)->post.holds, holds);
}

/* ---- Cancelled while it is started: whoever had the descriptor hears that it went, and acts ----
 */

typedef struct {
  fibril_loop *loop;
  fibril_future *polling;
  int old, ends[2], result;
  void (*act)(void *scene);
} reuse;

static void on_old_gone(int fd, int events, void *arg) {
  reuse *scene = arg;
  (void)fd;
  if (events == UV_EBADF) scene->act(scene);
}

static fibril_value poll_reused(void *arg) {
  reuse *scene = arg;
  fibril_pass();
  scene->result = fibril_poll_fd(scene->old, UV_READABLE, -1);
  return fibril_undefined();
}

/* A descriptor that a handler watches is closed by somebody else and becomes another one's. */
static void reuse_descriptor(reuse *scene) {
  int pipes[2];
  CHECK_INT(pipe(pipes), 0);
  scene->old = pipes[0];
  CHECK_INT(fibril_loop_add_handler(scene->loop, scene->old, UV_READABLE, on_old_gone, scene), 0);
  CHECK_INT(pipe(scene->ends), 0);
  CHECK_INT(dup2(scene->ends[0], scene->old), scene->old);
  close(pipes[1]);
  scene->polling = fibril_loop_spawn(scene->loop, poll_reused, scene, NULL);
}

static void end_reuse(reuse *scene) {
  close(scene->old);
  close(scene->ends[0]);
  close(scene->ends[1]);
}

static void cancel_polling(void *arg) {
  fibril_cancel(((reuse *)arg)->polling);
}

LOOP_TEST(a_poll_that_is_cancelled_while_it_starts_ends) {
  reuse scene = {.loop = loop, .act = cancel_polling};
  reuse_descriptor(&scene);
  while (!fibril_future_done(scene.polling)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(scene.result, UV_ECANCELED);
  fibril_future_unref(scene.polling);
  end_reuse(&scene);
}

static void close_loop(void *arg) {
  CHECK_INT(fibril_loop_close(((reuse *)arg)->loop, NULL, NULL), 0);
}

TEST(a_loop_that_is_closed_while_a_poll_starts_ends) {
  uv_loop_t uv;
  reuse scene = {.act = close_loop};
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &scene.loop), 0);
  reuse_descriptor(&scene);
  fibril_future_unref(scene.polling);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(scene.result, UV_ECANCELED);
  CHECK_INT(uv_loop_close(&uv), 0);
  end_reuse(&scene);
}
