/* What the scenarios are written with. Each is a piece of a program that goes on, or cleans up and
 * returns, whatever fails; it is run once for every call in src that it leads to. */
#ifndef FIBRIL_TEST_FAILURE_SCENARIO_H
#define FIBRIL_TEST_FAILURE_SCENARIO_H

#include <fibril.h>

/* A scenario with `fibril_loop *loop`; afterwards the loop must do its work, close, and leave
 * nothing behind. */
#define SCENARIO(name) FAILURE__SCENARIO(name, NULL)

/* The same with FIBRIL_GUARD in the environment. */
#define GUARD_SCENARIO(name, guard) FAILURE__SCENARIO(name, guard)

/* True when an operation succeeded. When it did not, its error must be that of a call that was made
 * to fail, and counts as reported. `code`: 0 or negative is an error; `value`: a fibril_value;
 * `pointer`: NULL without memory. */
#define OK(code) scenario_ok((int)(code), #code, __FILE__, __LINE__)
#define OK_VALUE(value) OK(fibril_error_code(value))
#define OK_POINTER(pointer) OK((pointer) == NULL ? UV_ENOMEM : 0)

/* What must hold whatever failed. */
#define MUST(condition) \
  ((condition) ? (void)0 : scenario_fail("%s:%d: %s", __FILE__, __LINE__, #condition))

bool scenario_ok(int code, const char *text, const char *file, int line);
void scenario_fail(const char *format, ...) FIBRIL_PRINTF(1, 2);

/* Runs fn(arg) as a coroutine to its end; its result's error counts as one of OK_VALUE. */
void scenario_run(fibril_loop *loop, fibril_fn fn, void *arg);

/* Turns the loop until condition(arg) holds or nothing is left that could make it so. */
void scenario_until(fibril_loop *loop, bool (*condition)(void *arg), void *arg);

typedef struct scenario scenario;
struct scenario {
  scenario *next;
  const char *name;
  const char *guard;
  void (*body)(fibril_loop *loop);
};

void scenario_register(scenario *one);

#define FAILURE__SCENARIO(scenario_name, guard_kind)                                         \
  static void scenario_body_##scenario_name(fibril_loop *loop);                              \
  __attribute__((constructor)) static void scenario_register_##scenario_name(void) {         \
    static scenario one = {NULL, #scenario_name, guard_kind, scenario_body_##scenario_name}; \
    scenario_register(&one);                                                                 \
  }                                                                                          \
  static void scenario_body_##scenario_name(fibril_loop *loop)

#endif /* FIBRIL_TEST_FAILURE_SCENARIO_H */
