#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Checks come from the thread pool too. */
static struct {
  uv_mutex_t mutex;
  int checks;
  size_t length;
  char failures[4096];
} current;

static uv_once_t once = UV_ONCE_INIT;
static test_case *tests;

static int order(const test_case *a, const test_case *b) {
  int by_file = strcmp(a->file, b->file);
  return by_file != 0 ? by_file : a->line - b->line;
}

void test_register(test_case *test) {
  test_case **place = &tests;
  while (*place != NULL && order(*place, test) < 0) place = &(*place)->next;
  test->next = *place;
  *place = test;
}

test_case *test_first(void) {
  return tests;
}

test_case *test_find(const char *name) {
  test_case *test = tests;
  while (test != NULL && strcmp(test->name, name) != 0) test = test->next;
  return test;
}

const char *test_kind_name(const test_case *test) {
  static const char *const names[] = {"plain", "loop", "crash", "failing"};
  return names[test->kind];
}

static void init_mutex(void) {
  uv_mutex_init(&current.mutex);
}

static void count_check(void) {
  uv_mutex_lock(&current.mutex);
  current.checks++;
  uv_mutex_unlock(&current.mutex);
}

static size_t clamp(int written, size_t room) {
  if (written < 0) return 0;
  return (size_t)written < room ? (size_t)written : room - 1;
}

void test_fail(const char *file, int line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  uv_mutex_lock(&current.mutex);
  current.checks++;
  char *end = current.failures + current.length;
  size_t room = sizeof current.failures - current.length;
  size_t used =
      clamp(snprintf(end, room, "%s%s:%d: ", current.length ? "\n" : "", file, line), room);
  used += clamp(vsnprintf(end + used, room - used, format, args), room - used);
  current.length += used;
  uv_mutex_unlock(&current.mutex);
  va_end(args);
}

bool test_check(bool holds, const char *text, const char *file, int line) {
  if (holds)
    count_check();
  else
    test_fail(file, line, "%s does not hold", text);
  return holds;
}

bool test_check_int(int64_t actual, int64_t expected, const char *actual_text,
                    const char *expected_text, const char *file, int line) {
  bool holds = actual == expected;
  if (holds)
    count_check();
  else
    test_fail(file, line, "%s is %lld, not %s (%lld)", actual_text, (long long)actual,
              expected_text, (long long)expected);
  return holds;
}

static const char *shown(const char *string) {
  return string != NULL ? string : "NULL";
}

bool test_check_str(const char *actual, const char *expected, const char *actual_text,
                    const char *expected_text, const char *file, int line) {
  bool holds = actual == expected;
  if (actual != NULL && expected != NULL) holds = strcmp(actual, expected) == 0;
  if (holds)
    count_check();
  else
    test_fail(file, line, "%s is \"%s\", not %s (\"%s\")", actual_text, shown(actual),
              expected_text, shown(expected));
  return holds;
}

static void note_closed(void *arg) {
  *(bool *)arg = true;
}

static void name_open_handle(uv_handle_t *handle, void *arg) {
  const test_case *test = arg;
  test_fail(test->file, test->line, "left open: a libuv %s handle%s",
            uv_handle_type_name(uv_handle_get_type(handle)),
            uv_is_closing(handle) ? ", closing" : "");
}

static void run_with_loop(const test_case *test) {
  uv_loop_t uv;
  fibril_loop *loop;
  bool closed = false;
  int code = uv_loop_init(&uv);
  if (code == 0) code = fibril_loop_new(&uv, &loop);
  if (code != 0) {
    test_fail(test->file, test->line, "no loop: %s", fibril_strerror(code));
    return;
  }
  test->body(loop);
  code = fibril_loop_close(loop, note_closed, &closed);
  if (code != 0) test_fail(test->file, test->line, "close: %s", fibril_strerror(code));
  uv_run(&uv, UV_RUN_DEFAULT);
  if (!closed) test_fail(test->file, test->line, "the loop ran dry before it was closed");
  uv_walk(&uv, name_open_handle, (void *)test);
  code = uv_loop_close(&uv);
  if (code != 0) test_fail(test->file, test->line, "uv_loop_close: %s", uv_strerror(code));
}

const char *test_run(test_case *test) {
  uv_once(&once, init_mutex);
  current.checks = 0;
  current.length = 0;
  current.failures[0] = '\0';
  if (test->kind == TEST__PLAIN)
    test->body(NULL);
  else
    run_with_loop(test);
  if (test->kind == TEST__CRASH) test_fail(test->file, test->line, "the process goes on");
  if (current.checks == 0) test_fail(test->file, test->line, "the test checks nothing");
  return current.length > 0 ? current.failures : NULL;
}
