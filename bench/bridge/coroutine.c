/* increment(n) as a coroutine, with waits of every kind. */
#include <fibril.h>

static fibril_value at_once(fibril_args *args) {
  return fibril_number(fibril_arg_number(args, 0) + 1);
}

static fibril_value nothing(fibril_args *args) {
  (void)args;
  return fibril_undefined();
}

static fibril_value add(fibril_args *args) {
  return fibril_number(fibril_arg_number(args, 0) + fibril_arg_number(args, 1));
}

static fibril_value copy(fibril_args *args) {
  return fibril_arg(args, 0);
}

/* Goes on in the same turn of the loop. */
static fibril_value pass(fibril_args *args) {
  int err = fibril_pass();
  return err != 0 ? fibril_error(err, NULL) : fibril_number(fibril_arg_number(args, 0) + 1);
}

/* Goes on after the loop has polled. */
static fibril_value moment(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : fibril_number(fibril_arg_number(args, 0) + 1);
}

/* The same, waiting three calls below the exported function. */
__attribute__((noinline)) static int wait_deep(int depth) {
  int err = depth == 0 ? fibril_moment() : wait_deep(depth - 1);
  __asm__ volatile("" : "+r"(err)); /* neither a tail call nor a loop */
  return err;
}

static fibril_value moment_deep(fibril_args *args) {
  int err = wait_deep(2);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(fibril_arg_number(args, 0) + 1);
}

static void increment(void *arg) {
  *(double *)arg += 1;
}

static fibril_value work(fibril_args *args) {
  double number = fibril_arg_number(args, 0);
  int err = fibril_work(increment, &number);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(number);
}

/* Not public: hands out the runtime's Future, for bench/co.js. */
void fibril__module_runtime(fibril_module *module);

FIBRIL_MODULE(m) {
  fibril__module_runtime(m);
  fibril_export(m, "nothing(): void", nothing);
  fibril_export(m, "increment(n: number): number", at_once);
  fibril_export(m, "add(a: number, b: number): number", add);
  fibril_export(m, "copy(text: string): string", copy);
  fibril_export(m, "atOnce(n: number): Promise<number>", at_once);
  fibril_export(m, "pass(n: number): Promise<number>", pass);
  fibril_export(m, "moment(n: number): Promise<number>", moment);
  fibril_export(m, "momentDeep(n: number): Promise<number>", moment_deep);
  fibril_export(m, "work(n: number): Promise<number>", work);
}
