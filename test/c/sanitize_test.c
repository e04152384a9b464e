/* That leaks are looked for in the stacks of coroutines too: only in builds with ASan or LSan. */
#include "test.h"

#include <stdlib.h>

#include "../../src/core/switch/sanitize.h"

#if FIBRIL__LSAN

/* The block's address is nowhere but on this stack: ASan could move the local to memory of its own,
 * in which it looks for no pointers once another coroutine runs. */
__attribute__((no_sanitize_address)) static fibril_value hold_block(void *arg) {
  (void)arg;
  void *volatile block = malloc(1000);
  fibril_sleep(1e6);
  free(block);
  return fibril_undefined();
}

/* What the calls that made it left behind, in registers and below them, is overwritten. */
__attribute__((noinline)) static void overwrite(void) {
  volatile char bytes[16384];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = 0;
}

LOOP_TEST(sanitize_finds_pointers_on_the_stacks_of_coroutines) {
  fibril_future *future = fibril_loop_spawn(loop, hold_block, NULL, NULL);
  overwrite();
  CHECK_INT(__lsan_do_recoverable_leak_check(), 0);
  fibril_cancel(future);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_result(future);
  fibril_future_unref(future);
}

#endif
