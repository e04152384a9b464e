/* Native functions that overflow their stacks, each in its way. Built twice, as two addons that
 * bring their own copies of fibril; COPY tells their coroutines' names apart. */
#include <fibril.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* Makes the compiler keep the bytes on the stack. */
static void keep(void *bytes) {
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

__attribute__((noinline)) static int recurse(int64_t depth) {
  char frame[1000];
  memset(frame, 1, sizeof frame);
  keep(frame);
  int below = depth > 1 ? recurse(depth - 1) : 0;
  keep(frame);
  return below + frame[0];
}

/* The canary of a stack without a guard page is looked at when the coroutine waits. */
static fibril_value by_recursion(fibril_args *args) {
  int result = recurse(fibril_arg_integer(args, 0) / 1000);
  fibril_sleep(0);
  return fibril_number(result);
}

/* One frame larger than the stack and the guard below it together. */
__attribute__((noinline)) static int with_large_frame(void) {
  char frame[512 * 1024];
  frame[0] = 1;
  keep(frame);
  return frame[0];
}

static fibril_value by_frame(fibril_args *args) {
  (void)args;
  int result = with_large_frame();
  fibril_sleep(0);
  return fibril_number(result);
}

/* The C library's compiler of regular expressions calls itself for each parenthesis. */
static fibril_value in_libc(fibril_args *args) {
  size_t depth = (size_t)fibril_arg_integer(args, 0);
  char *pattern = malloc(2 * depth + 2);
  if (pattern == NULL) return fibril_error(UV_ENOMEM, NULL);
  memset(pattern, '(', depth);
  pattern[depth] = 'x';
  memset(pattern + depth + 1, ')', depth);
  pattern[2 * depth + 1] = '\0';
  regex_t regex;
  int err = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
  if (err == 0) regfree(&regex);
  free(pattern);
  return fibril_number(err);
}

static fibril_value nap(fibril_args *args) {
  int err = fibril_sleep(fibril_arg_number(args, 0));
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

FIBRIL_MODULE(m) {
  fibril_export(m, COPY "Recursion(bytes: int64): Promise<number>", by_recursion);
  fibril_export(m, COPY "Frame(): Promise<number>", by_frame);
  fibril_export(m, COPY "Libc(depth: uint32): Promise<number>", in_libc);
  fibril_export(m, "nap(ms: number): Promise<void>", nap);
}
