/* The harness itself. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

TEST(harness_passes_what_holds) {
  CHECK(CHECK_INT(1 + 1, 2));
  CHECK(CHECK_STR("text", "text"));
  CHECK(CHECK_STR(NULL, NULL));
}

FAILING_TEST(harness_reports_a_condition, "^\\S*harness_test\\.c:\\d+: 1 > 2 does not hold$") {
  bool held = CHECK(1 > 2);
  CHECK(!held);
}

FAILING_TEST(harness_reports_integers, "7 - 4 is 3, not 2 \\+ 2 \\(4\\)$") {
  CHECK_INT(7 - 4, 2 + 2);
}

FAILING_TEST(harness_reports_strings,
             "\"a\" is \"a\", not NULL \\(\"NULL\"\\)\n.*not \"b\" \\(\"b\"\\)$") {
  CHECK_STR("a", NULL);
  CHECK_STR("a", "b");
}

FAILING_TEST(harness_wants_checks, "the test checks nothing$") {}

FAILING_TEST(harness_cuts_long_messages, "x{1000}") {
  char text[8192];
  snprintf(text, sizeof text, "%08191d", 0);
  for (size_t i = 0; text[i] != '\0'; i++) text[i] = 'x';
  CHECK_STR(text, "short");
  CHECK_STR(text, "short");
}

static fibril_value failing_coroutine(void *arg) {
  CHECK_INT(fibril_sleep(1), 0);
  FAIL("from coroutine %s", (const char *)arg);
  return fibril_undefined();
}

FAILING_TEST(harness_hears_of_coroutines, "from coroutine one\n[^\n]*from coroutine two$") {
  CHECK_INT(fibril_loop_run_sync(loop, failing_coroutine, "one", 0, NULL), 0);
  CHECK_INT(fibril_loop_run_sync(loop, failing_coroutine, "two", 0, NULL), 0);
}

FAILING_TEST(harness_names_open_handles,
             "left open: a libuv timer handle\n.*uv_loop_close: resource busy") {
  static uv_timer_t timer;
  CHECK_INT(uv_timer_init(fibril_loop_uv(loop), &timer), 0);
}

CRASH_TEST(harness_sees_a_signal, "SIGABRT", "^last words$") {
  fputs("last words\n", stderr);
  abort();
}

CRASH_TEST(harness_sees_an_exit_code, "7", "") {
  exit(7);
}
