/* Streams of one's own over others: a cipher, frames that a read waits for twice, and the orders in
 * which such a pair may end. */
#include "pairs.h"
#include "nothing.h"

#include <stdlib.h>
#include <string.h>

/* What has been asked of one; it outlives the stream. */
typedef struct {
  int closes, aborts, releases;
  bool inside;          /* somebody is in its read */
  bool released_inside; /* which must not be */
  fibril_stream *inner;
  fibril_reader *reader; /* of frames */
  char frame[256];
  size_t at, length; /* what of the frame nobody has read yet */
} layer;

static void close_layer(void *arg) {
  layer *self = arg;
  self->closes++;
  fibril_stream_close(self->inner);
}

static void release_layer(void *arg) {
  layer *self = arg;
  self->releases++;
  self->released_inside = self->inside;
  if (self->reader != NULL) fibril_reader_free(self->reader);
  free(self->reader);
  fibril_stream_unref(self->inner);
}

static int shutdown_layer(void *arg) {
  return fibril_stream_shutdown(((layer *)arg)->inner);
}

static void abort_layer(void *arg) {
  layer *self = arg;
  self->aborts++;
  fibril_stream_abort(self->inner);
}

/* The reference that release drops is beside that of the close. */
static int wrap(const fibril_stream_type *type, layer *self, fibril_stream *inner,
                fibril_stream **out) {
  *self = (layer){.inner = fibril_stream_ref(inner)};
  fibril_stream_detach(inner);
  return fibril_stream_wrap(type, self, out);
}

/* ---- A cipher of sorts ---- */

static void turn(char *data, size_t length) {
  for (size_t i = 0; i < length; i++) data[i] ^= 0x55;
}

static int64_t read_turned(void *arg, void *buffer, size_t length) {
  layer *self = arg;
  self->inside = true;
  int64_t count = fibril_stream_read(self->inner, buffer, length);
  self->inside = false;
  if (count > 0) turn(buffer, (size_t)count);
  return count;
}

static int64_t tryread_turned(void *arg, void *buffer, size_t length) {
  int64_t count = fibril_stream_tryread(((layer *)arg)->inner, buffer, length);
  if (count > 0) turn(buffer, (size_t)count);
  return count;
}

static int write_turned(void *arg, const uv_buf_t *buffers, unsigned count) {
  char piece[1000];
  for (unsigned i = 0; i < count; i++) {
    for (size_t at = 0; at < buffers[i].len; at += sizeof piece) {
      size_t left = buffers[i].len - at, length = left < sizeof piece ? left : sizeof piece;
      memcpy(piece, buffers[i].base + at, length);
      turn(piece, length);
      int err = fibril_stream_write(((layer *)arg)->inner, piece, length);
      if (err != 0) return err;
    }
  }
  return 0;
}

static const fibril_stream_type turned = {
    .size = sizeof turned,
    .name = "turned",
    .read = read_turned,
    .write = write_turned,
    .shutdown = shutdown_layer,
    .close = close_layer,
    .release = release_layer,
    .tryread = tryread_turned,
    .abort = abort_layer,
};

PAIR_TEST(wrap_turns_what_passes) {
  layer one, two;
  fibril_stream *x, *y;
  char text[8] = "";
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0) || !CHECK_INT(wrap(&turned, &two, b, &y), 0))
    return;
  uv_buf_t pieces[] = {uv_buf_init("he", 2), uv_buf_init("", 0), uv_buf_init("llo", 3)};
  CHECK_INT(fibril_stream_writev(x, pieces, 3), 0);
  CHECK_INT(fibril_stream_written(x), 5);
  CHECK_INT(fibril_stream_read(y, text, 5), 5);
  CHECK_STR(text, "hello");
  CHECK_INT(fibril_stream_tryread(y, text, 5), UV_EAGAIN);
  CHECK_INT(fibril_stream_peer(x, text, sizeof text), UV_ENOTSUP);
  CHECK_INT(fibril_stream_shutdown(x), 0);
  CHECK_INT(fibril_stream_read(y, text, 5), 0);
  CHECK_INT(fibril_stream_write(x, "x", 1), UV_EPIPE);
  fibril_stream_close(x);
  CHECK(one.closes == 1 && one.releases == 1 && two.closes == 0);
  fibril_stream_abort(y);
  CHECK(two.closes == 1 && two.releases == 1 && two.aborts == 1);
}

typedef struct {
  fibril_stream *stream;
  size_t length;
} doing;

static fibril_value read_one(void *arg) {
  char byte;
  return fibril_number((double)fibril_stream_read(((doing *)arg)->stream, &byte, 1));
}

static fibril_value write_many(void *arg) {
  doing self = *(doing *)arg;
  char *data = calloc(1, self.length);
  int err = fibril_stream_write(self.stream, data, self.length);
  free(data);
  return fibril_number(err);
}

/* What holds for every stream is looked after outside of its functions. */
MEMORY_TEST(wrap_has_the_rules_of_every_stream) {
  layer one;
  fibril_stream *x;
  char byte;
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0)) return;
  doing reading = {x, 0}, writing = {x, 100 * 1000};
  fibril_future *reader = fibril_spawn(read_one, &reading, NULL);
  fibril_future *writer = fibril_spawn(write_many, &writing, NULL);
  fibril_moment();
  CHECK_INT(fibril_stream_read(x, &byte, 1), UV_EBUSY);
  CHECK_INT(fibril_stream_write(x, "x", 1), UV_EBUSY);
  CHECK_INT(fibril_stream_shutdown(x), UV_EBUSY);
  fibril_cancel(reader);
  fibril_cancel(writer);
  CHECK_INT(outcome_of(reader), UV_ECANCELED);
  CHECK_INT(outcome_of(writer), UV_ECANCELED);
  CHECK_INT(fibril_stream_write(x, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_write(b, "\x2d", 1), 0);
  CHECK_INT(fibril_stream_read(x, &byte, 1), 1);
  CHECK(byte == 'x');
  fibril_stream_close(x);
}

/* ---- Frames: a length, and as much ---- */

static int64_t read_frame(layer *self) {
  unsigned char length[2];
  int err = fibril_reader_exact(self->reader, length, 2);
  if (err != 0) return err == UV_EOF ? 0 : err;
  self->length = (size_t)length[0] << 8 | length[1];
  if (self->length > sizeof self->frame) return UV_EMSGSIZE;
  err = fibril_reader_exact(self->reader, self->frame, self->length);
  if (err != 0) self->length = 0;
  return err == UV_EOF ? UV_ECONNRESET : err != 0 ? err : 1;
}

static int64_t read_framed(void *arg, void *buffer, size_t length) {
  layer *self = arg;
  self->inside = true;
  int64_t result = 1;
  while (self->length == 0 && result > 0) {
    self->at = 0;
    result = read_frame(self);
  }
  self->inside = false;
  if (result <= 0) return result;
  size_t count = self->length < length ? self->length : length;
  memcpy(buffer, self->frame + self->at, count);
  self->at += count;
  self->length -= count;
  return (int64_t)count;
}

static int write_framed(void *arg, const uv_buf_t *buffers, unsigned count) {
  layer *self = arg;
  for (unsigned i = 0; i < count; i++) {
    unsigned char length[2] = {(unsigned char)(buffers[i].len >> 8), (unsigned char)buffers[i].len};
    uv_buf_t both[] = {uv_buf_init((char *)length, 2), buffers[i]};
    int err = fibril_stream_writev(self->inner, both, 2);
    if (err != 0) return err;
  }
  return 0;
}

static const fibril_stream_type framed = {
    .size = sizeof framed,
    .name = "framed",
    .read = read_framed,
    .write = write_framed,
    .shutdown = shutdown_layer,
    .close = close_layer,
    .release = release_layer,
};

static int wrap_framed(layer *self, fibril_stream *inner, fibril_stream **out) {
  int err = wrap(&framed, self, inner, out);
  if (err != 0) return err;
  self->reader = malloc(sizeof *self->reader);
  fibril_reader_init(self->reader, inner, 0);
  fibril_reader_detach(self->reader);
  return 0;
}

PAIR_TEST(wrap_waits_as_often_as_it_likes) {
  layer one;
  fibril_stream *x;
  char text[8] = "";
  if (!CHECK_INT(wrap_framed(&one, b, &x), 0)) return;
  doing reading = {x, 0};
  fibril_future *future = fibril_spawn(read_one, &reading, NULL);
  static const char frames[] = "\0\0\0\5hello\0\2ab";
  for (size_t i = 0; i < sizeof frames - 1; i++) {
    CHECK_INT(fibril_stream_write(a, frames + i, 1), 0);
    fibril_moment();
  }
  CHECK_INT(outcome_of(future), 1);
  CHECK_INT(fibril_stream_read(x, text, 7), 4);
  CHECK_STR(text, "ello");
  CHECK_INT(fibril_stream_tryread(x, text, 7), UV_ENOTSUP);
  CHECK_INT(fibril_stream_read(x, text, 7), 2);
  CHECK_INT(fibril_stream_write(x, "answer", 6), 0);
  CHECK_INT(fibril_stream_read(a, text, 8), 8);
  CHECK(!memcmp(text, "\0\6answer", 8));
  CHECK_INT(fibril_stream_write(a, "\0\3ab", 4), 0);
  CHECK_INT(fibril_stream_shutdown(a), 0);
  CHECK_INT(fibril_stream_read(x, text, 7), UV_ECONNRESET);
  fibril_stream_close(x);
}

/* Between the two waits, as in the first one, nothing is lost. */
MEMORY_TEST(wrap_that_is_late_in_the_middle_begins_anew) {
  layer one;
  fibril_stream *x;
  char text[8] = "";
  if (!CHECK_INT(wrap_framed(&one, b, &x), 0)) return;
  CHECK_INT(fibril_stream_write(a, "\0", 1), 0);
  fibril_deadline_push(1);
  CHECK_INT(fibril_stream_read(x, text, 7), UV_ETIMEDOUT);
  fibril_deadline_pop();
  CHECK_INT(fibril_stream_write(a, "\3abc", 4), 0);
  CHECK_INT(fibril_stream_read(x, text, 7), 3);
  CHECK_STR(text, "abc");
  fibril_stream_close(x);
}

/* Frames in a cipher in memory, a reader on top. */
MEMORY_TEST(wrap_wraps_what_is_wrapped) {
  layer layers[4];
  fibril_stream *x, *y;
  fibril_reader reader;
  const char *line;
  CHECK_INT(wrap(&turned, &layers[0], a, &x), 0);
  CHECK_INT(wrap_framed(&layers[1], x, &x), 0);
  CHECK_INT(wrap(&turned, &layers[2], b, &y), 0);
  CHECK_INT(wrap_framed(&layers[3], y, &y), 0);
  fibril_reader_init(&reader, y, 0);
  CHECK_INT(fibril_stream_write(x, "over", 4), 0);
  CHECK_INT(fibril_stream_write(x, " and over\n", 10), 0);
  CHECK_INT(fibril_reader_line(&reader, &line), 13);
  CHECK_STR(line, "over and over");
  fibril_stream_close(x);
  CHECK_INT(fibril_reader_line(&reader, &line), UV_EOF);
  fibril_stream_close(y);
  for (int i = 0; i < 4; i++) CHECK(layers[i].closes == 1 && layers[i].releases == 1);
}

/* ---- What reports say ---- */

static void note_wait(const fibril_inspection *about, void *arg) {
  if (strcmp(about->name, "reader") == 0) *(const char **)arg = about->waits_for;
}

static const char *what_the_reader_waits_for(void) {
  const char *found = NULL;
  fibril_loop_inspect(fibril_loop_current(), note_wait, &found);
  return found;
}

static fibril_value read_and_sleep(void *arg) {
  char byte;
  fibril_set_name("reader");
  fibril_stream_read(arg, &byte, 1);
  return fibril_number(fibril_sleep(1e6));
}

/* The outermost one's name, as long as somebody is in it. */
PAIR_TEST(wrap_has_its_name_in_reports) {
  static fibril_stream_type outermost;
  layer inner, outer;
  fibril_stream *x, *y;
  outermost = turned;
  outermost.name = "outermost";
  if (!CHECK_INT(wrap(&turned, &inner, a, &x), 0)) return;
  if (!CHECK_INT(wrap(&outermost, &outer, x, &y), 0)) return;
  fibril_future *future = fibril_spawn(read_and_sleep, y, NULL);
  CHECK_STR(what_the_reader_waits_for(), "outermost");
  CHECK_INT(fibril_stream_write(b, "x", 1), 0);
  const char *now = "outermost";
  while ((now == NULL || strcmp(now, "outermost") == 0) && fibril_moment() == 0)
    now = what_the_reader_waits_for(); /* nothing, when it is about to go on */
  CHECK_STR(what_the_reader_waits_for(), "sleep");
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  fibril_stream_close(y);
}

/* ---- Ends ---- */

PAIR_TEST(wrap_is_closed_while_somebody_reads) {
  layer one;
  fibril_stream *x;
  char byte;
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0)) return;
  doing reading = {x, 0};
  fibril_future *future = fibril_spawn(read_one, &reading, NULL);
  fibril_moment();
  fibril_stream_close(x);
  CHECK(one.closes == 1 && one.inside && one.releases == 0);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK(one.releases == 1 && !one.released_inside);
  CHECK_INT(fibril_stream_read(b, &byte, 1), 0);
}

MEMORY_TEST(wrap_is_closed_while_somebody_writes) {
  layer one;
  fibril_stream *x;
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0)) return;
  doing writing = {x, 100 * 1000};
  fibril_future *future = fibril_spawn(write_many, &writing, NULL);
  fibril_moment();
  fibril_stream_close(x);
  CHECK(one.closes == 1 && one.releases == 0);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK_INT(one.releases, 1);
}

MEMORY_TEST(wrap_is_closed_and_kept) {
  layer one;
  fibril_stream *x;
  char byte;
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0)) return;
  fibril_stream_ref(x);
  fibril_stream_close(x);
  CHECK(one.closes == 1 && one.releases == 0);
  fibril_stream_close(x);
  CHECK_INT(one.closes, 1);
  CHECK_INT(fibril_stream_read(x, &byte, 1), UV_EBADF);
  CHECK_INT(fibril_stream_write(x, "x", 1), UV_EBADF);
  fibril_stream_unref(x);
  CHECK_INT(one.releases, 1);
}

MEMORY_TEST(wrap_whose_inner_stream_is_closed_first) {
  layer one;
  fibril_stream *x;
  char byte;
  if (!CHECK_INT(wrap(&turned, &one, a, &x), 0)) return;
  doing reading = {x, 0};
  fibril_future *future = fibril_spawn(read_one, &reading, NULL);
  fibril_moment();
  fibril_stream_close(a);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK_INT(fibril_stream_read(x, &byte, 1), UV_EBADF);
  CHECK_INT(fibril_stream_write(x, "x", 1), UV_EBADF);
  CHECK_INT(one.closes, 0);
  fibril_stream_close(x);
  CHECK(one.closes == 1 && one.releases == 1);
}

typedef struct {
  layer *layer;
  bool detach; /* the inner one, as should be */
} owning;

static fibril_value own_both(void *arg) {
  const owning *self = arg;
  fibril_stream *ends[2], *x;
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  *self->layer = (layer){.inner = fibril_stream_ref(ends[0])};
  if (self->detach) fibril_stream_detach(ends[0]);
  CHECK_INT(fibril_stream_wrap(&turned, self->layer, &x), 0);
  return fibril_undefined();
}

/* Also where the inner stream, which is still the coroutine's, goes before or after it. */
LOOP_TEST(wrap_ends_with_its_owner) {
  for (int detach = 0; detach < 2; detach++) {
    layer one;
    owning both = {&one, detach};
    CHECK_INT(fibril_loop_run_sync(loop, own_both, &both, 0, NULL), 0);
    CHECK(one.closes == 1 && one.releases == 1);
  }
}

static fibril_value own_until_the_end(void *arg) {
  const owning *self = arg;
  fibril_stream *ends[2], *x;
  char byte;
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  fibril_stream_detach(ends[1]);
  if (!CHECK_INT(wrap(&turned, self->layer, ends[0], &x), 0)) return fibril_undefined();
  if (self->detach) fibril_stream_detach(x);
  return fibril_number((double)fibril_stream_read(x, &byte, 1));
}

static layer last[2];

static fibril_value leave_readers(void *arg) {
  static owning ways[2];
  (void)arg;
  for (int i = 0; i < 2; i++) {
    ways[i] = (owning){&last[i], i == 1};
    fibril_future_unref(fibril_spawn(own_until_the_end, &ways[i], NULL));
  }
  fibril_moment();
  return fibril_undefined();
}

TEST(wrap_ends_with_its_loop) {
  uv_loop_t uv;
  fibril_loop *own;
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
  CHECK_INT(fibril_loop_run_sync(own, leave_readers, NULL, 0, NULL), 0);
  CHECK(last[0].inside && last[1].inside);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  for (int i = 0; i < 2; i++)
    CHECK(last[i].closes == 1 && last[i].releases == 1 && !last[i].released_inside);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- Tables that are none ---- */

MEMORY_TEST(wrap_refuses_tables_that_lack_something) {
  fibril_stream *x;
  fibril_stream_type type;
  for (int i = 0; i < 5; i++) {
    type = turned;
    if (i == 0) type.size--;
    if (i == 1) type.read = NULL;
    if (i == 2) type.write = NULL;
    if (i == 3) type.shutdown = NULL;
    if (i == 4) type.close = NULL;
    CHECK_INT(fibril_stream_wrap(&type, NULL, &x), UV_EINVAL);
  }
  CHECK_INT(fibril_stream_wrap(NULL, NULL, &x), UV_EINVAL);
  CHECK_INT(fibril_stream_wrap(&turned, NULL, NULL), UV_EINVAL);
}

/* Of the functions that may be NULL, none is there. */
static const fibril_stream_type least = {
    .size = sizeof least,
    .name = "least",
    .read = read_nothing,
    .write = write_turned,
    .shutdown = shutdown_layer,
    .close = close_nothing,
};

MEMORY_TEST(wrap_needs_four_functions) {
  fibril_stream *x;
  char byte;
  CHECK_INT(fibril_stream_wrap(&least, NULL, &x), 0);
  CHECK_INT(fibril_stream_tryread(x, &byte, 1), UV_ENOTSUP);
  CHECK_INT(fibril_stream_read(x, &byte, 1), 0);
  fibril_stream_abort(x);
}

/* ---- When a loop has closed its handles ---- */

static void open_at_the_end(fibril_future *future, void *closed) {
  fibril_stream *ends[2];
  fibril_future_unref(future);
  CHECK_INT(fibril_memory_pair(0, ends), FIBRIL_ECLOSED);
  CHECK_INT(fibril_stream_wrap(&least, NULL, ends), FIBRIL_ECLOSED);
  *(bool *)closed = true;
}

static void settle(void *future) {
  CHECK_INT(fibril_future_set_result(future, fibril_undefined()), 0);
}

/* Of the detached ones, which go last. */
static fibril_value leave_a_stream(void *closed) {
  static fibril_stream_type type;
  fibril_loop *loop = fibril_loop_current();
  fibril_future *future = fibril_future_new(loop);
  fibril_stream *stream;
  type = least;
  type.close = settle;
  CHECK_INT(fibril_loop_add_future(loop, future, open_at_the_end, closed), 0);
  CHECK_INT(fibril_stream_wrap(&type, future, &stream), 0);
  fibril_stream_detach(stream);
  return fibril_undefined();
}

TEST(wrap_makes_no_stream_when_the_loop_ends) {
  uv_loop_t uv;
  fibril_loop *own;
  bool closed = false;
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
  CHECK_INT(fibril_loop_run_sync(own, leave_a_stream, &closed, 0, NULL), 0);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(uv_loop_close(&uv), 0);
}

LOOP_TEST(wrap_outside_of_coroutines) {
  fibril_stream *x;
  (void)loop;
  CHECK_INT(fibril_stream_wrap(&least, NULL, &x), FIBRIL_ENOTCOROUTINE);
}

/* ---- Types that give nonsense ---- */

static int64_t give_more(void *arg, void *buffer, size_t length) {
  (void)arg;
  (void)buffer;
  return (int64_t)length + 1;
}

static int64_t give_no_code(void *arg, void *buffer, size_t length) {
  (void)arg;
  (void)buffer;
  (void)length;
  return -((int64_t)1 << 32);
}

static int give_a_count(void *arg, const uv_buf_t *buffers, unsigned count) {
  (void)arg;
  (void)buffers;
  return (int)count;
}

static int give_one(void *arg) {
  (void)arg;
  return 1;
}

static const fibril_stream_type nonsense[] = {
    {sizeof nonsense[0], "more", give_more, give_a_count, give_one, close_nothing, .tryread = NULL},
    {sizeof nonsense[0], NULL, give_no_code, give_a_count, give_one, close_nothing,
     .tryread = NULL},
};

static fibril_stream *of_nonsense(int which) {
  fibril_stream *stream = NULL;
  CHECK_INT(fibril_stream_wrap(&nonsense[which], NULL, &stream), 0);
  return stream;
}

static fibril_value read_more(void *arg) {
  fibril_reader reader;
  const char *line;
  (void)arg;
  fibril_reader_init(&reader, of_nonsense(0), 0);
  return fibril_number((double)fibril_reader_line(&reader, &line));
}

static fibril_value read_no_code(void *arg) {
  char byte;
  (void)arg;
  return fibril_number((double)fibril_stream_read(of_nonsense(1), &byte, 1));
}

static fibril_value write_a_count(void *arg) {
  (void)arg;
  return fibril_number(fibril_stream_write(of_nonsense(0), "x", 1));
}

static fibril_value shut_one(void *arg) {
  (void)arg;
  return fibril_number(fibril_stream_shutdown(of_nonsense(0)));
}

CRASH_TEST(wrap_that_reads_more_than_there_is_room_for, "SIGABRT",
           "reading of a stream of type \"more\" gave 1025, which is no error") {
  fibril_loop_run_sync(loop, read_more, NULL, 0, NULL);
}

CRASH_TEST(wrap_that_reads_what_is_no_code, "SIGABRT",
           "reading of a stream of type \"\" gave -4294967296, which is no error") {
  fibril_loop_run_sync(loop, read_no_code, NULL, 0, NULL);
}

CRASH_TEST(wrap_that_writes_a_count, "SIGABRT", "writing of a stream of type \"more\" gave 1,") {
  fibril_loop_run_sync(loop, write_a_count, NULL, 0, NULL);
}

CRASH_TEST(wrap_that_shuts_down_with_a_count, "SIGABRT",
           "the shutdown of a stream of type \"more\" gave 1,") {
  fibril_loop_run_sync(loop, shut_one, NULL, 0, NULL);
}
