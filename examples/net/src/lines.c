/* A protocol of lines: "sum 1 2 3", "say something", "quit". Lines have a limit, and whoever is
 * silent for too long is sent away. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 256

static int answer_sum(fibril_writer *writer, const char *text) {
  double sum = 0;
  char *end;
  for (double number = strtod(text, &end); end != text; number = strtod(text, &end)) {
    sum += number;
    text = end;
  }
  return *text == '\0' ? fibril_writer_printf(writer, "%g\n", sum)
                       : fibril_writer_printf(writer, "error: \"%s\" is no number\n", text + 1);
}

/* 0, UV_EOF for a goodbye, or what a write gives. */
static int answer(fibril_writer *writer, const char *line) {
  if (strcmp(line, "quit") == 0) return UV_EOF;
  if (strncmp(line, "sum ", 4) == 0) return answer_sum(writer, line + 3);
  if (strncmp(line, "say ", 4) == 0) return fibril_writer_printf(writer, "%s\n", line + 4);
  return fibril_writer_printf(writer, "error: unknown command\n");
}

/* Answers go out together, when there is nothing more to answer at once. */
static int next_line(fibril_reader *reader, fibril_writer *writer, double idle, const char **line) {
  if (fibril_reader_peek(reader, 0, line) == 0) {
    int err = fibril_writer_flush(writer);
    if (err != 0) return err;
  }
  int err = fibril_deadline_push(idle);
  if (err != 0) return err;
  int64_t length = fibril_reader_line(reader, line);
  fibril_deadline_pop();
  return length < 0 ? (int)length : 0;
}

/* What is said to who is sent away. */
static const char *farewell(int err) {
  if (err == UV_EMSGSIZE) return "error: line too long\n";
  if (err == UV_ETIMEDOUT) return "error: too slow\n";
  return err == UV_EOF ? "bye\n" : NULL;
}

static int serve_lines(fibril_stream *stream, fibril_writer *writer, double idle) {
  fibril_reader reader;
  const char *line;
  int err = fibril_reader_init(&reader, stream, LONGEST);
  while (err == 0) {
    err = next_line(&reader, writer, idle, &line);
    if (err == 0) err = answer(writer, line);
  }
  return err;
}

/* What the peer has sent since is read before the close, which would be a reset otherwise, and
 * overtake the last words. */
static fibril_value handle_lines(fibril_stream *stream, void *arg) {
  const server *self = arg;
  fibril_writer writer;
  fibril_writer_init(&writer, stream, 0);
  int err = serve_lines(stream, &writer, self->idle);
  const char *last = farewell(err);
  if (last != NULL) err = fibril_writer_write(&writer, last, strlen(last));
  if (last != NULL && err == 0) err = fibril_writer_flush(&writer);
  if (err == 0 && (err = fibril_deadline_push(1000)) == 0) {
    fibril_stream_linger(stream);
    fibril_deadline_pop();
  }
  fibril_writer_free(&writer);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

static fibril_value lines_new(fibril_args *args) {
  server *self = fibril_this(args);
  self->idle = fibril_value_number(fibril_arg_option(args, 1, "idle"));
  return server_open(self, (int)fibril_arg_integer(args, 0), handle_lines);
}

void export_lines(fibril_module *m) {
  export_server(m, "LineServer", "(port?: uint32 = 0, options?: {idle?: number = 10000})",
                lines_new);
}
