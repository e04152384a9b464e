#include "parse.h"

#include "connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line, and a string that is looked at where it was read. */
enum { WINDOW = 64 * 1024 };
/* Of longer strings so much memory is taken ahead of the bytes, which may never come. */
enum { AHEAD = 1024 * 1024 };
/* So many items, too. */
enum { ITEMS_AHEAD = 1024 };

static const double SAFE_INTEGER = 9007199254740991;

static int value(parser *self, unsigned depth, fibril_value *out);

int parser_init(parser *self, fibril_stream *stream, const limits *of) {
  *self = (parser){.limits = of};
  return fibril_reader_init(&self->reader, stream, WINDOW + 2);
}

void parser_free(parser *self) {
  fibril_reader_free(&self->reader);
}

FIBRIL_PRINTF(2, 3) static int broken(parser *self, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(self->message, sizeof self->message, format, args);
  va_end(args);
  return UV_EPROTO;
}

/* ---- Bytes ---- */

/* All that was read ahead has been looked at. */
static void leave_window(parser *self) {
  fibril_reader_consume(&self->reader, (size_t)(self->at - self->base));
  self->base = self->at = self->end = NULL;
  if (self->before_wait != NULL) self->before_wait(self->arg);
}

/* Has so many bytes at `at`. */
static int fill(parser *self, size_t least) {
  if ((size_t)(self->end - self->at) >= least) return 0;
  leave_window(self);
  int64_t length = fibril_reader_peek(&self->reader, least, &self->base);
  if (length <= 0) return length == 0 ? UV_EOF : (int)length;
  self->at = self->base;
  self->end = self->base + length;
  return 0;
}

/* The text is there until the next fill. */
static int line(parser *self, const char **text, size_t *length) {
  for (size_t looked = 0;;) {
    size_t there = (size_t)(self->end - self->at);
    const char *end = there > looked ? memchr(self->at + looked, '\n', there - looked) : NULL;
    if (end != NULL) {
      if (end == self->at || end[-1] != '\r') return broken(self, "a line without CRLF");
      *text = self->at;
      *length = (size_t)(end - self->at) - 1;
      self->at = end + 1;
      return *length > 0 ? 0 : broken(self, "an empty line");
    }
    if (there >= WINDOW) return broken(self, "a line of more than %d bytes", WINDOW);
    looked = there;
    int err = fill(self, there + 1);
    if (err != 0) return err;
  }
}

static int end_of_string(parser *self) {
  int err = fill(self, 2);
  if (err != 0) return err;
  if (self->at[0] != '\r' || self->at[1] != '\n')
    return broken(self, "a string without CRLF behind it");
  self->at += 2;
  return 0;
}

/* ---- Numbers ---- */

static bool is_digits(const char *text, size_t length) {
  if (length > 0 && (*text == '-' || *text == '+')) text++, length--;
  for (size_t i = 0; i < length; i++)
    if (text[i] < '0' || text[i] > '9') return false;
  return length > 0;
}

/* False where it is none, or does not fit. */
static bool to_integer(const char *text, size_t length, int64_t *out) {
  bool negative = length > 0 && *text == '-';
  int64_t sum = 0;
  if (!is_digits(text, length)) return false;
  for (size_t i = negative || *text == '+'; i < length; i++) {
    int digit = text[i] - '0';
    if (__builtin_mul_overflow(sum, 10, &sum)) return false;
    if (negative ? __builtin_sub_overflow(sum, digit, &sum)
                 : __builtin_add_overflow(sum, digit, &sum))
      return false;
  }
  *out = sum;
  return true;
}

static int integer(parser *self, const char *text, size_t length, fibril_value *out) {
  int64_t number;
  if (!to_integer(text, length, &number)) return broken(self, "an integer that is none");
  bool safe = (double)number <= SAFE_INTEGER && (double)number >= -SAFE_INTEGER;
  *out = safe ? fibril_number((double)number) : fibril_bigint(number);
  return 0;
}

static bool is_word(const char *text, size_t length) {
  static const char *const words[] = {"inf", "-inf", "nan"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (length == strlen(words[i]) && memcmp(text, words[i], length) == 0) return true;
  return false;
}

/* strtod takes more than there may be: blanks, hexadecimal digits, any word that begins so. */
static int real(parser *self, const char *text, size_t length, fibril_value *out) {
  char copy[512], *end;
  snprintf(copy, sizeof copy, "%.*s", (int)length, text);
  double number = strtod(copy, &end);
  bool whole = length > 0 && length < sizeof copy && end == copy + length;
  if (!whole || (!is_word(text, length) && strspn(copy, "0123456789+-.eE") != length))
    return broken(self, "a double that is none");
  *out = fibril_number(number);
  return 0;
}

static int big_number(parser *self, const char *text, size_t length, fibril_value *out) {
  int64_t number;
  if (to_integer(text, length, &number)) {
    *out = fibril_bigint(number);
    return 0;
  }
  if (!is_digits(text, length)) return broken(self, "a big number that is none");
  self->special = true;
  *out = fibril_object();
  return fibril_object_set(*out, "big", fibril_string(text, length));
}

/* A length or a count: up to `most`, or -1 where there may be nothing. */
static int size(parser *self, const char *text, size_t length, double most, bool nullable,
                const char *of, int64_t *out) {
  if (!to_integer(text, length, out) || *out < (nullable ? -1 : 0))
    return broken(self, "\"%.*s\" for the length of %s", length < 32 ? (int)length : 32, text, of);
  if ((double)*out > most)
    return broken(self, "%s of %.0f, and %.0f are allowed", of, (double)*out, most);
  return 0;
}

/* ---- Strings ---- */

typedef struct {
  char *data;
  size_t length, room;
} large;

/* What was read ahead first, then straight from the stream. */
static int read_large(parser *self, large *to, size_t length) {
  while (to->length < length) {
    if (to->length == to->room) {
      size_t room = to->room == 0 ? AHEAD : 2 * to->room;
      char *data = realloc(to->data, room < length ? room : length);
      if (data == NULL) return UV_ENOMEM;
      to->data = data;
      to->room = room < length ? room : length;
    }
    int64_t count = fibril_reader_read(&self->reader, to->data + to->length, to->room - to->length);
    if (count <= 0) return count == 0 ? UV_EOF : (int)count;
    to->length += (size_t)count;
  }
  return 0;
}

static int large_string(parser *self, size_t length, fibril_value *out) {
  large all = {0};
  leave_window(self);
  int err = read_large(self, &all, length);
  if (err == 0) err = end_of_string(self);
  if (err != 0) {
    free(all.data);
    return err;
  }
  if (self->buffers) {
    *out = fibril_buffer_take(all.data, length, free);
  } else {
    *out = fibril_string(all.data, length);
    free(all.data);
  }
  return 0;
}

/* The bytes of a string that fits into the window; there until the next fill. */
static int short_string(parser *self, size_t length, const char **data) {
  int err = fill(self, length + 2);
  if (err != 0) return err;
  *data = self->at;
  self->at += length;
  return end_of_string(self);
}

static int string(parser *self, const char *text, size_t digits, fibril_value *out) {
  int64_t length;
  const char *data;
  int err = size(self, text, digits, self->limits->bulk, true, "a string", &length);
  if (err != 0) return err;
  if (length < 0) {
    *out = fibril_null();
    return 0;
  }
  if (length > WINDOW) return large_string(self, (size_t)length, out);
  err = short_string(self, (size_t)length, &data);
  if (err == 0)
    *out =
        self->buffers ? fibril_buffer(data, (size_t)length) : fibril_string(data, (size_t)length);
  return err;
}

/* "txt:" comes before the text. */
static int verbatim(parser *self, const char *text, size_t digits, fibril_value *out) {
  int64_t length;
  const char *data;
  int err = size(self, text, digits, WINDOW, false, "a verbatim string", &length);
  if (err == 0) err = short_string(self, (size_t)length, &data);
  if (err != 0) return err;
  if (length < 4 || data[3] != ':') return broken(self, "a verbatim string without its format");
  *out = self->buffers ? fibril_buffer(data + 4, (size_t)length - 4)
                       : fibril_string(data + 4, (size_t)length - 4);
  return 0;
}

static int error_string(parser *self, const char *text, size_t digits, fibril_value *out) {
  int64_t length;
  const char *data;
  int err = size(self, text, digits, WINDOW, false, "an error", &length);
  if (err == 0) err = short_string(self, (size_t)length, &data);
  if (err == 0) *out = error_of_server(data, (size_t)length);
  return err;
}

/* ---- What has items ---- */

/* `each`: values for one of `count`. */
static int items(parser *self, unsigned depth, int64_t count, int each, fibril_value *out) {
  double all = (double)count * each;
  if (depth >= self->limits->depth)
    return broken(self, "a reply of more than %.0f levels", self->limits->depth);
  if (all > self->items)
    return broken(self, "a reply of more than %.0f items", self->limits->items);
  self->items -= all;
  *out = fibril_array(all < ITEMS_AHEAD ? (size_t)all : ITEMS_AHEAD);
  int err = 0;
  for (int64_t i = 0; i < count * each && err == 0; i++) {
    fibril_value item;
    err = value(self, depth + 1, &item);
    if (err == 0) err = fibril_array_push(*out, item);
  }
  return err;
}

static int array(parser *self, unsigned depth, const char *text, size_t digits, fibril_value *out) {
  int64_t count;
  int err = size(self, text, digits, self->limits->items, true, "an array", &count);
  if (err != 0) return err;
  if (count >= 0) return items(self, depth, count, 1, out);
  *out = fibril_null();
  return 0;
}

/* A map or a set, under its name: in JavaScript it becomes one. */
static int collection(parser *self, unsigned depth, const char *text, size_t digits,
                      const char *name, fibril_value *out) {
  int64_t count;
  fibril_value all;
  int err = size(self, text, digits, self->limits->items, false, name, &count);
  if (err == 0) err = items(self, depth, count, strcmp(name, "map") == 0 ? 2 : 1, &all);
  if (err != 0) return err;
  self->special = true;
  *out = fibril_object();
  return fibril_object_set(*out, name, all);
}

/* Attributes come before a reply and say things about it that nobody has asked for. */
static int attributes(parser *self, unsigned depth, const char *text, size_t digits) {
  int64_t count;
  fibril_value all;
  bool special = self->special;
  int err = size(self, text, digits, self->limits->items, false, "attributes", &count);
  if (err == 0) err = items(self, depth, count, 2, &all);
  if (err == 0) fibril_value_free(fibril_value_take(all));
  self->special = special;
  return err;
}

static int constant(parser *self, const char *text, size_t length, fibril_value *out) {
  if (length == 1 && *text == '_') {
    *out = fibril_null();
  } else if (length == 2 && *text == '#' && (text[1] == 't' || text[1] == 'f')) {
    *out = fibril_boolean(text[1] == 't');
  } else {
    return broken(self, "a boolean or a null that is none");
  }
  return 0;
}

static int value(parser *self, unsigned depth, fibril_value *out) {
  const char *text = NULL;
  size_t length = 0;
  for (;;) {
    int err = line(self, &text, &length);
    if (err != 0) return err;
    const char *rest = text + 1;
    switch (*text) {
      case '+': *out = fibril_string(rest, length - 1); return 0;
      case '-': *out = error_of_server(rest, length - 1); return 0;
      case ':': return integer(self, rest, length - 1, out);
      case '$': return string(self, rest, length - 1, out);
      case '*': return array(self, depth, rest, length - 1, out);
      case ',': return real(self, rest, length - 1, out);
      case '(': return big_number(self, rest, length - 1, out);
      case '=': return verbatim(self, rest, length - 1, out);
      case '!': return error_string(self, rest, length - 1, out);
      case '%': return collection(self, depth, rest, length - 1, "map", out);
      case '~': return collection(self, depth, rest, length - 1, "set", out);
      case '_':
      case '#': return constant(self, text, length, out);
      case '>':
        if (depth == 0) return array(self, depth, rest, length - 1, out);
        return broken(self, "a push within a reply");
      case '|':
        err = attributes(self, depth, rest, length - 1);
        if (err != 0) return err;
        break;
      default: return broken(self, "the type 0x%02x", (unsigned char)*text);
    }
  }
}

/* ---- Replies ---- */

int parser_next(parser *self) {
  int err = fill(self, 1);
  return err != 0 ? err : (unsigned char)*self->at;
}

int parser_reply(parser *self, fibril_value *out) {
  self->items = self->limits->items;
  self->special = false;
  return value(self, 0, out);
}
