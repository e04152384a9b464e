/* The harness of the C tests. The same files run inside Node (test/c.test.js) and against libuv
 * alone (npm run test:c).
 *
 *   TEST(values_are_copied) { CHECK_INT(add(1, 2), 3); }
 *
 * A failing check is recorded and the test goes on, so that a check may stand anywhere: in a
 * coroutine, a callback, a job of the thread pool. Where going on makes no sense: if (!CHECK(p !=
 * NULL)) return; A test without any check fails. */
#ifndef FIBRIL_TEST_H
#define FIBRIL_TEST_H

#include <fibril.h>

/* A test without a loop. */
#define TEST(name) TEST__DEFINE(name, TEST__PLAIN, NULL, NULL)

/* A test with a private loop, `fibril_loop *loop`. After the body the loop is closed and run dry; a
 * libuv handle that is still open fails the test. */
#define LOOP_TEST(name) TEST__DEFINE(name, TEST__LOOP, NULL, NULL)

/* A program, with `fibril_loop *loop` as above, that must end its process: it runs in a process of
 * its own. `ending` is a signal
 * ("SIGSEGV") or an exit code ("7"); `pattern` is a JavaScript regular expression that what it
 * writes to stderr must match. */
#define CRASH_TEST(name, ending, pattern) TEST__DEFINE(name, TEST__CRASH, ending, pattern)

/* For the harness's own tests: `loop` as above, and the test passes when it fails with messages
 * that match `pattern`. */
#define FAILING_TEST(name, pattern) TEST__DEFINE(name, TEST__FAILING, NULL, pattern)

/* The checks: true when they hold. Arguments are evaluated once; CHECK_INT compares as int64_t;
 * strings may be NULL. */
#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected) \
  test_check_int((int64_t)(actual), (int64_t)(expected), #actual, #expected, __FILE__, __LINE__)
#define CHECK_STR(actual, expected) \
  test_check_str((actual), (expected), #actual, #expected, __FILE__, __LINE__)

/* Fails the test with a message. */
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

bool test_check(bool holds, const char *text, const char *file, int line);
bool test_check_int(int64_t actual, int64_t expected, const char *actual_text,
                    const char *expected_text, const char *file, int line);
bool test_check_str(const char *actual, const char *expected, const char *actual_text,
                    const char *expected_text, const char *file, int line);
void test_fail(const char *file, int line, const char *format, ...) FIBRIL_PRINTF(3, 4);

/* ---- For the two programs that run tests --------------------------------------------------------
 */

typedef enum { TEST__PLAIN, TEST__LOOP, TEST__CRASH, TEST__FAILING } test_kind;

typedef struct test_case test_case;
struct test_case {
  test_case *next;
  const char *name;
  const char *file;
  int line;
  test_kind kind;
  const char *ending;
  const char *pattern;
  void (*body)(fibril_loop *loop);
};

#define TEST__DEFINE(test_name, test_type, test_ending, test_pattern)        \
  static void test_body_##test_name(fibril_loop *loop);                      \
  static test_case test_case_##test_name = {.name = #test_name,              \
                                            .file = __FILE__,                \
                                            .line = __LINE__,                \
                                            .kind = test_type,               \
                                            .ending = test_ending,           \
                                            .pattern = test_pattern,         \
                                            .body = test_body_##test_name};  \
  __attribute__((constructor)) static void test_register_##test_name(void) { \
    test_register(&test_case_##test_name);                                   \
  }                                                                          \
  static void test_body_##test_name(__attribute__((unused)) fibril_loop *loop)

void test_register(test_case *test);

/* All tests in the order of file and line. */
test_case *test_first(void);

/* NULL when there is none of that name. */
test_case *test_find(const char *name);

/* "plain", "loop", "crash" or "failing". */
const char *test_kind_name(const test_case *test);

/* Runs one test. NULL when it passed, else what failed, a line each, until the next test_run. A
 * CRASH_TEST doesn't return unless it fails. One test at a time in a process. */
const char *test_run(test_case *test);

#endif /* FIBRIL_TEST_H */
