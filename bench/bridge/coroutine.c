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

/* ---- Properties of an object ---- */

typedef struct {
  fibril_value object;
  int count;
  double sum;
} properties;

static void get_properties(void *data) {
  properties *self = data;
  for (int i = 0; i < self->count; i++)
    self->sum += fibril_value_number(fibril_reference_get(self->object, "n"));
}

/* `together`: so many in each batch; 0: each by itself. After a wait, as most are. */
static fibril_value get_times(fibril_args *args, int together) {
  int times = (int)fibril_arg_integer(args, 1);
  properties all = {.object = fibril_arg(args, 0), .count = together == 0 ? times : together};
  int err = fibril_moment();
  if (err == 0 && together == 0) get_properties(&all);
  for (int i = 0; err == 0 && together > 0 && i < times; i += together)
    err = fibril_reference_batch(all.object, get_properties, &all);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(all.sum);
}

static fibril_value get_alone(fibril_args *args) {
  return get_times(args, 0);
}

static fibril_value get_together(fibril_args *args) {
  return get_times(args, 10);
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
  fibril_export(m, "getAlone(object: object, times: int32): Promise<number>", get_alone);
  fibril_export(m, "getTogether(object: object, times: int32): Promise<number>", get_together);
  fibril_export(m, "work(n: number): Promise<number>", work);
}
