/* What an environment has of its own, for test/environments.test.js: data, code at load and at the
 * end that may wait. What the next one that is loaded does is planned by another, or by the
 * process's environment; what has happened all threads of the process share. */
#include <fibril.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The log ---- */

static struct {
  pthread_mutex_t mutex;
  char lines[200][80];
  int count;
} book = {.mutex = PTHREAD_MUTEX_INITIALIZER};

FIBRIL_PRINTF(1, 2) static void note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  pthread_mutex_lock(&book.mutex);
  if (book.count < 200) {
    char *line = book.lines[book.count++];
    vsnprintf(line, sizeof book.lines[0], format, list);
    if (getenv("ENVIRONMENTS_TOLD") != NULL) fprintf(stderr, "%s\n", line);
  }
  pthread_mutex_unlock(&book.mutex);
  va_end(list);
}

/* What has been noted since the last time. */
static fibril_value take_log(fibril_args *args) {
  (void)args;
  pthread_mutex_lock(&book.mutex);
  fibril_value list = fibril_array((size_t)book.count);
  for (int i = 0; i < book.count; i++)
    fibril_array_push(list, fibril_string(book.lines[i], FIBRIL_AUTO_LENGTH));
  book.count = 0;
  pthread_mutex_unlock(&book.mutex);
  return list;
}

/* ---- Plans ---- */

static char plan[64];
static int gate[2] = {-1, -1}; /* what waits for it reads a byte there */

static fibril_value set_plan(fibril_args *args) {
  snprintf(plan, sizeof plan, "%s", fibril_arg_string(args, 0));
  if (gate[0] < 0 && pipe(gate) != 0) return fibril_error(UV_EMFILE, "pipe");
  return fibril_undefined();
}

static fibril_value let_go(fibril_args *args) {
  (void)args;
  return write(gate[1], "x", 1) == 1 ? fibril_undefined() : fibril_error(UV_EIO, NULL);
}

static bool planned(const char *word) {
  const char *inherited = getenv("ENVIRONMENTS_PLAN");
  return strstr(plan, word) != NULL || (inherited != NULL && strstr(inherited, word) != NULL);
}

/* ---- An environment's own ---- */

typedef struct {
  int id;
  int readable; /* where init waits, or the end, or -1 */
  char init[16], end[16];
  fibril_value function; /* kept */
  fibril_callback *callback;
} own;

static _Atomic int loaded;

static own *here(void) {
  return fibril_loop_data(fibril_loop_current());
}

static void release_own(void *data) {
  own *self = data;
  note("%d data", self->id);
  fibril_value_free(self->function);
  if (self->callback != NULL) fibril_callback_unref(self->callback);
  free(self);
}

/* Several may be woken by one byte. */
static int wait_for_gate(const own *self) {
  char byte;
  int events;
  do events = fibril_poll_fd(self->readable, UV_READABLE, -1);
  while (events > 0 && read(self->readable, &byte, 1) != 1);
  return events < 0 ? events : 0;
}

/* One of those waits, by name; NULL: none. */
static int wait_as(const own *self, const char *how) {
  int err = 0;
  if (strcmp(how, "pass") == 0) err = fibril_pass();
  if (strcmp(how, "sleep") == 0) err = fibril_sleep(5);
  if (strcmp(how, "gate") == 0) err = wait_for_gate(self);
  if (strcmp(how, "hour") == 0) err = fibril_sleep(3.6e6);
  if (strcmp(how, "never") == 0) err = fibril_suspend();
  if (strcmp(how, "failing") == 0) err = fibril_sleep(1);
  if (strcmp(how, "failing") == 0 || strcmp(how, "fails") == 0) err = UV_EIO;
  return err;
}

static void note_left(void *arg) {
  const own *self = arg;
  note("%d left by init", self->id);
}

static fibril_value run_init(void *arg) {
  own *self = arg;
  int deferred = fibril_defer(note_left, self);
  fibril_value text = fibril_string("no database", FIBRIL_AUTO_LENGTH);
  if (deferred != 0) return fibril_error(deferred, NULL);
  if (fibril_is_error(text)) return text;
  note("%d init", self->id);
  int err = here() == self ? wait_as(self, self->init) : UV_EPROTO;
  note("%d init %s", self->id, err == 0 ? "ends" : fibril_err_name(err));
  if (err == 0) return text; /* dropped */
  return fibril_error(err, "%s", fibril_value_string(text, NULL));
}

static void nothing(void *arg) {
  (void)arg;
}

static fibril_value spawned(void *arg) {
  (void)arg;
  return fibril_undefined();
}

/* What the code at the end may do, and may not. */
static void try_everything(own *self) {
  uv_stat_t stat;
  const char *const words[] = {"true", NULL};
  fibril_process_options options = {.size = sizeof options, .file = "true", .args = words};
  fibril_value result = fibril_undefined();
  fibril_future *child = fibril_spawn(spawned, NULL, NULL);
  fibril_future *call = fibril_call_start(self->function, NULL, 0);
  const int codes[] = {
      fibril_work(nothing, NULL),
      fibril_fs_stat(".", &stat),
      fibril_process_run(&options, &result),
      fibril_sleep(1),
      fibril_error_code(fibril_await(child)),
      fibril_error_code(fibril_call(self->function, NULL, 0)),
      fibril_error_code(fibril_await(call)),
      fibril_call_forget(self->function, NULL, 0),
      fibril_callback_send(self->callback, NULL, 0, NULL, NULL),
      fibril_mask(),
      fibril_unmask(),
  };
  char text[80] = "";
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), " %d", codes[i]);
  note("%d%s", self->id, text);
  fibril_future_unref(child);
  fibril_future_unref(call);
}

static fibril_value run_end(void *arg) {
  own *self = arg;
  note("%d end", self->id);
  if (strcmp(self->end, "tries") == 0) try_everything(self);
  int err = here() == self ? wait_as(self, self->end) : UV_EPROTO;
  note("%d end %s", self->id, err == 0 ? "ends" : fibril_err_name(err));
  return err == 0 ? fibril_undefined() : fibril_error(err, "not flushed");
}

/* ---- What is exported ---- */

static fibril_value id(fibril_args *args) {
  (void)args;
  return fibril_number(here()->id);
}

static fibril_value call(fibril_args *args) {
  note("%d call %s", here()->id, fibril_arg_string(args, 0));
  return fibril_arg(args, 0);
}

/* Ends when it is told to, behind a mask with "masked". */
static fibril_value waits(fibril_args *args) {
  int number = here()->id;
  note("%d waits", number);
  bool masked = fibril_arg_boolean(args, 0);
  int err = fibril_suspend();
  if (masked && fibril_mask() == 0) err = fibril_sleep(5);
  note("%d waited %s", number, err == 0 ? "on" : fibril_err_name(err));
  return fibril_error(err == 0 ? UV_ECANCELED : err, NULL);
}

static fibril_value counts(fibril_args *args, fibril_generator *generator) {
  note("%d counts", here()->id);
  for (int i = 0; i < fibril_arg_integer(args, 0); i++) {
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

static fibril_value keep(fibril_args *args) {
  own *self = here();
  const fibril_callback_options options = {.size = sizeof options, .unref = true};
  self->function = fibril_value_dup(fibril_arg(args, 0));
  self->callback = fibril_callback_new(self->function, &options);
  return self->callback == NULL ? fibril_error(UV_ENOMEM, NULL) : fibril_undefined();
}

/* A loud one is noted when it is released. */
typedef struct {
  int id;
  bool loud;
} thing;

static fibril_value construct(fibril_args *args) {
  *(thing *)fibril_this(args) = (thing){here()->id, fibril_arg_boolean(args, 0)};
  return fibril_undefined();
}

static void release_thing(void *state) {
  const own *self = here();
  const thing *released = state;
  bool known = self != NULL && self->id == released->id;
  if (released->loud) note("%d thing", known ? self->id : -1);
}

/* ---- Where the loop is known: a letter for each place where it is ---- */

typedef struct {
  fibril_loop *loop;
  char letters[16];
} places;

static void look(places *seen, char letter) {
  size_t length = strlen(seen->letters);
  if (fibril_loop_current() == seen->loop && length < sizeof seen->letters - 1)
    seen->letters[length] = letter;
}

static void look_in_callback(void *arg) {
  look(arg, 'c');
}

static void look_in_timeout(void *arg) {
  look(arg, 't');
}

static void look_in_post(void *arg) {
  look(arg, 'p');
}

static void look_on_loop(void *arg) {
  look(arg, 'l');
}

static void look_when_done(fibril_future *future, void *arg) {
  (void)future;
  look(arg, 'd');
}

static void look_when_called(fibril_value result, void *arg) {
  (void)result;
  look(arg, 'j');
}

static fibril_value look_around(fibril_args *args) {
  places seen = {.loop = fibril_loop_current()};
  fibril_poster *poster = fibril_loop_poster(seen.loop);
  fibril_callback *callback = fibril_callback_new(fibril_arg(args, 0), NULL);
  fibril_future *called = fibril_call_start(fibril_arg(args, 0), NULL, 0);
  fibril_future_add_done_callback(called, look_when_done, &seen, NULL);
  fibril_loop_add_callback(seen.loop, look_in_callback, &seen);
  fibril_loop_call_later(seen.loop, 0, look_in_timeout, &seen, NULL);
  fibril_post(poster, look_in_post, &seen);
  fibril_callback_send(callback, NULL, 0, look_when_called, &seen);
  fibril_on_loop(look_on_loop, &seen);
  fibril_sleep(20);
  fibril_await(called);
  fibril_callback_unref(callback);
  fibril_future_unref(called);
  fibril_poster_unref(poster);
  return fibril_string(seen.letters, FIBRIL_AUTO_LENGTH);
}

/* ---- Loading ---- */

static void export_all(fibril_module *m) {
  const fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(thing), .release = release_thing};
  fibril_export(m, "plan(text: string): void", set_plan);
  fibril_export(m, "letGo(): void", let_go);
  fibril_export(m, "log(): string[]", take_log);
  fibril_export(m, "id(): number", id);
  fibril_export(m, "call(text: string, options?: {signal?: AbortSignal}): Promise<string>", call);
  fibril_export(m, "plain(text: string): Promise<string>", call);
  fibril_export(m, "waits(masked?: boolean = false): Promise<void>", waits);
  fibril_export(m, "keep(fn: Function): Promise<void>", keep);
  fibril_export(m, "lookAround(fn: Function): Promise<string>", look_around);
  fibril_export_generator(m, "counts(n: int32): Generator<number>", counts, NULL);
  fibril_export_async_generator(
      m, "countsLater(n: int32, signal?: AbortSignal): AsyncGenerator<number>", counts, NULL);
  fibril_class *cls = fibril_export_class(m, "Thing", &options);
  fibril_class_constructor(cls, "(loud?: boolean = false)", construct);
  fibril_class_method(cls, "call(text: string): Promise<string>", call, NULL);
  fibril_class_method(cls, "now(text: string): string", call, NULL);
  fibril_class_getter(cls, "id: number", id);
  fibril_export_value(m, "ANSWER: number", fibril_number(42));
}

static void take_word(char *word, size_t size, const char *name) {
  static const char *const kinds[] = {"now",   "pass",    "sleep", "hour", "gate",
                                      "never", "failing", "fails", "tries"};
  char text[32];
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    snprintf(text, sizeof text, "%s=%s;", name, kinds[i]);
    if (planned(text)) snprintf(word, size, "%s", kinds[i]);
  }
}

FIBRIL_MODULE(m) {
  own *self = calloc(1, sizeof *self);
  if (self == NULL) abort();
  self->id = ++loaded;
  self->readable = gate[0];
  take_word(self->init, sizeof self->init, "init");
  take_word(self->end, sizeof self->end, "end");
  if (fibril_loop_set_data(fibril_loop_current(), self, release_own) != 0) abort();
  if (planned("null init")) note("%d null %d", self->id, fibril_module_init(m, NULL, self));
  if (planned("null end")) note("%d null %d", self->id, fibril_module_end(m, NULL, self));
  if (self->init[0] != '\0') fibril_module_init(m, run_init, self);
  if (self->end[0] != '\0') fibril_module_end(m, run_end, self);
  export_all(m);
  if (planned("second init")) note("%d second %d", self->id, fibril_module_init(m, run_init, self));
  if (planned("second end")) note("%d second %d", self->id, fibril_module_end(m, run_end, self));
  if (planned("bad signature")) fibril_export(m, "bad(", call);
  if (planned("bad signature"))
    note("%d after %d %d", self->id, fibril_module_init(m, run_init, self),
         fibril_module_end(m, run_end, self));
}
