/* A child from its start to its end: fed, its output collected, and ended with who waits. */
#include "process.h"

#include "../../core/future/group.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (1024 * 1024) /* as Node's maxBuffer */
#define GRACE_MS 1000
#define ROOM_FIRST 4096

typedef struct run run;

/* What comes from one of its pipes. */
typedef struct {
  run *run;
  unsigned number;
  char *data;
  size_t length, size;
} output;

struct run {
  const fibril_process_options *options;
  fibril_process *process;
  fibril_group *group;
  output outputs[2];
  fibril_wait_group reading; /* of the outputs */
  size_t limit;
  double grace;
  bool left; /* the child has ended, and the outputs are closed before their ends */
};

/* ---- What is given, and what comes ---- */

/* It need not read it, but hears of its end whatever happens. */
static fibril_value feed(void *arg) {
  run *self = arg;
  fibril_stream *to = fibril_process_stdio(self->process, 0);
  fibril_stream_write(to, self->options->input, self->options->input_length);
  fibril_stream_close(to);
  return fibril_undefined();
}

static bool make_room(output *self, size_t limit) {
  if (self->length < self->size) return true;
  size_t size = self->size == 0 ? ROOM_FIRST : 2 * self->size;
  if (size > limit) size = limit + 1; /* one byte more than that is too much */
  char *data = realloc(self->data, size);
  if (data == NULL) return false;
  self->data = data;
  self->size = size;
  return true;
}

static int read_output(output *self) {
  const run *run = self->run;
  fibril_stream *from = fibril_process_stdio(run->process, self->number);
  for (;;) {
    if (self->length > run->limit) return UV_EMSGSIZE;
    if (!make_room(self, run->limit)) return UV_ENOMEM;
    int64_t count = fibril_stream_read(from, self->data + self->length, self->size - self->length);
    if (count > 0)
      self->length += (size_t)count;
    else if (count == 0 || run->left) /* whoever has the pipe still may keep it */
      return 0;
    else
      return (int)count;
  }
}

static fibril_value collect(void *arg) {
  output *self = arg;
  int err = read_output(self);
  fibril_wait_group_done(&self->run->reading);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* Grandchildren may have the pipes for ever. */
static fibril_value await_end(void *arg) {
  run *self = arg;
  int err = fibril_process_wait(self->process, NULL, NULL);
  if (err == 0) err = fibril_wait_group_wait(&self->reading, self->grace);
  if (err == UV_ETIMEDOUT) {
    self->left = true;
    for (unsigned i = 1; i <= 2; i++) fibril_stream_close(fibril_process_stdio(self->process, i));
    err = 0;
  }
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* ---- The whole ---- */

/* It is asked to end, and has its grace; the close kills what is left. */
static void end_early(run *self) {
  int signal = self->options->kill_signal;
  if (self->process->ended || self->grace <= 0) return;
  if (fibril_process_kill(self->process, signal == 0 ? SIGTERM : signal) != 0) return;
  fibril_mask();
  if (fibril_deadline_push(self->grace) == 0) {
    fibril_process_wait(self->process, NULL, NULL);
    fibril_deadline_pop();
  }
  fibril_unmask();
}

static int start_children(run *self) {
  int err = 0;
  self->group = fibril_group_new();
  if (self->group == NULL) return UV_ENOMEM;
  if (self->options->input != NULL) err = fibril_group_spawn(self->group, feed, self, NULL);
  for (int i = 0; err == 0 && i < 2; i++) {
    self->outputs[i] = (output){.run = self, .number = (unsigned)i + 1};
    fibril_wait_group_add(&self->reading, 1);
    err = fibril_group_spawn(self->group, collect, &self->outputs[i], NULL);
  }
  return err != 0 ? err : fibril_group_spawn(self->group, await_end, self, NULL);
}

/* What they use is on this stack: they have ended when this returns. */
static int wait_for_all(run *self) {
  int err = start_children(self);
  if (self->group == NULL) return err;
  if (err != 0) fibril_group_cancel(self->group);
  fibril_value result = fibril_group_wait(self->group);
  if (fibril_is_error(result)) err = fibril_error_code(result);
  fibril__group_end(self->group);
  return err;
}

static int set_output(fibril_value result, const char *key, output *self) {
  char *data = self->data;
  self->data = NULL;
  fibril_value bytes =
      data == NULL ? fibril_buffer("", 0) : fibril_buffer_take(data, self->length, free);
  return fibril_is_error(bytes) ? UV_ENOMEM : fibril_object_set(result, key, bytes);
}

static int make_result(run *self, fibril_value *out) {
  const fibril_process *process = self->process;
  bool exited = process->signal == 0;
  fibril_value code = exited ? fibril_number((double)process->status) : fibril_null();
  fibril_value signal = exited ? fibril_null() : fibril_number(process->signal);
  fibril_value result = fibril_object();
  if (fibril_is_error(result)) return UV_ENOMEM;
  int err = fibril_object_set(result, "code", code);
  if (err == 0) err = fibril_object_set(result, "signal", signal);
  if (err == 0) err = set_output(result, "stdout", &self->outputs[0]);
  if (err == 0) err = set_output(result, "stderr", &self->outputs[1]);
  if (err == 0)
    *out = result;
  else
    fibril_value_free(fibril_value_take(result));
  return err;
}

static int spawn(run *self) {
  fibril_stdio stdio[3] = {{FIBRIL_STDIO_PIPE, 0}, {FIBRIL_STDIO_PIPE, 0}, {FIBRIL_STDIO_PIPE, 0}};
  fibril_process_options options = *self->options;
  if (options.input == NULL) stdio[0].kind = FIBRIL_STDIO_IGNORE;
  options.stdio = stdio;
  options.stdio_count = 3;
  return fibril_process_spawn(&options, &self->process);
}

int fibril_process_run(const fibril_process_options *options, fibril_value *out) {
  run self = {.options = options, .limit = LIMIT, .grace = GRACE_MS};
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  if (options == NULL || out == NULL || options->size != sizeof *options ||
      options->stdio_count > 0 || options->detached || isnan(options->grace))
    return UV_EINVAL;
  if (options->limit > 0) self.limit = options->limit;
  if (options->grace != 0) self.grace = options->grace;
  err = spawn(&self);
  if (err != 0) return err;
  err = wait_for_all(&self);
  if (err != 0) end_early(&self);
  if (err == 0) err = make_result(&self, out);
  fibril_process_close(self.process);
  for (int i = 0; i < 2; i++) free(self.outputs[i].data);
  return err;
}
