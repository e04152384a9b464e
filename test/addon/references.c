/* What C does with JavaScript's objects, for test/references.test.js, exported as any addon would.
 */
#include <fibril.h>

#include <stdlib.h>
#include <string.h>

/* ---- One operation, in every place ---- */

typedef struct {
  fibril_value object, key, value;
  char operation[16];
  fibril_value result; /* of a batch, of fibril_on_loop, of a callback: what came */
} step;

static fibril_value by_name(const step *s, const char *name) {
  switch (s->operation[0]) {
    case 'g': return fibril_reference_get(s->object, name);
    case 's': return fibril_reference_set(s->object, name, s->value);
    case 'h': return fibril_reference_has(s->object, name);
    case 'd': return fibril_reference_delete(s->object, name);
    case 'c': return fibril_reference_call(s->object, name, &s->value, 1);
    default: return fibril_error(UV_EINVAL, "no operation");
  }
}

static fibril_value by_key(const step *s) {
  switch (s->operation[0]) {
    case 'g': return fibril_reference_get_key(s->object, s->key);
    case 's': return fibril_reference_set_key(s->object, s->key, s->value);
    case 'h': return fibril_reference_has_key(s->object, s->key);
    case 'd': return fibril_reference_delete_key(s->object, s->key);
    case 'c': return fibril_reference_call_key(s->object, s->key, &s->value, 1);
    default: return fibril_error(UV_EINVAL, "no operation");
  }
}

static fibril_value run_step(const step *s) {
  if (strcmp(s->operation, "keys") == 0) return fibril_reference_keys(s->object);
  if (strcmp(s->operation, "equal") == 0) return fibril_reference_equal(s->object, s->value);
  const char *name = fibril_value_string(s->key, NULL);
  return name != NULL ? by_name(s, name) : by_key(s);
}

/* operate(operation, object, key, value): the key is a name where it is a string. */
static step step_of(fibril_args *args) {
  step s = {
      .object = fibril_arg(args, 1), .key = fibril_arg(args, 2), .value = fibril_arg(args, 3)};
  strncpy(s.operation, fibril_arg_string(args, 0), sizeof s.operation - 1);
  return s;
}

static fibril_value operate(fibril_args *args) {
  step s = step_of(args);
  return run_step(&s);
}

static fibril_value operate_later(fibril_args *args) {
  step s = step_of(args);
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : run_step(&s);
}

/* The functions with _key, also where the key is a string: it is a reference then. */
static fibril_value operate_by_key(fibril_args *args) {
  step s = step_of(args);
  return by_key(&s);
}

/* What the second gives, from the event loop; the first one's is left to the coroutine. */
static fibril_value get_two(fibril_args *args) {
  int err = fibril_moment();
  if (err != 0) return fibril_error(err, NULL);
  fibril_reference_get(fibril_arg(args, 0), "first");
  return fibril_reference_get(fibril_arg(args, 0), "second");
}

/* A function that an object has, after the context of the call has gone. */
static fibril_value call_got(fibril_args *args) {
  int err = fibril_moment();
  if (err != 0) return fibril_error(err, NULL);
  fibril_value function = fibril_reference_get(fibril_arg(args, 0), fibril_arg_string(args, 1));
  return fibril_is_error(function) ? function : fibril_call(function, NULL, 0);
}

static fibril_value call_method(fibril_args *args) {
  int err = fibril_moment();
  if (err != 0) return fibril_error(err, NULL);
  return fibril_reference_call(fibril_arg(args, 0), fibril_arg_string(args, 1), NULL, 0);
}

/* A name that C has as a value, not as a reference. */
static fibril_value get_string_key(fibril_args *args) {
  return fibril_reference_get_key(fibril_arg(args, 0), fibril_arg(args, 1));
}

static void run_data(void *data) {
  step *s = data;
  s->result = run_step(s);
}

/* Owned: whoever frees it twice, or not at all, is found by ASan. */
static fibril_value operate_on_loop(fibril_args *args) {
  step s = step_of(args);
  fibril_on_loop(run_data, &s);
  return s.result;
}

static fibril_value operate_in_batch(fibril_args *args) {
  step s = step_of(args);
  s.result = fibril_null();
  int err = fibril_reference_batch(s.object, run_data, &s);
  return err != 0 ? fibril_error(err, NULL) : s.result;
}

static fibril_value operate_in_batch_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : operate_in_batch(args);
}

/* In a callback of the loop, where no coroutine runs. */
typedef struct {
  step step;
  fibril_future *done;
} callback_step;

static void run_callback(void *data) {
  callback_step *s = data;
  run_data(&s->step);
  fibril_future_set_result(s->done, s->step.result);
}

static fibril_value operate_in_callback(fibril_args *args) {
  callback_step s = {.step = step_of(args), .done = fibril_future_new(fibril_loop_current())};
  if (s.done == NULL) return fibril_error(UV_ENOMEM, NULL);
  int err = fibril_loop_add_callback(fibril_loop_current(), run_callback, &s);
  fibril_mask(); /* the callback uses this stack */
  fibril_value result = err != 0 ? fibril_error(err, NULL) : fibril_value_dup(fibril_await(s.done));
  fibril_unmask();
  fibril_future_unref(s.done);
  return result;
}

/* ---- Batches ---- */

typedef struct {
  fibril_value object, texts;
  double sum;
  int count, waited, err;
  bool owned; /* what is made is nobody's */
} sum;

/* Texts are made and left: they are the coroutine's. */
static void add_up(void *data) {
  sum *self = data;
  self->waited = fibril_sleep(0);
  for (int i = 0; i < self->count; i++) {
    fibril_value value = fibril_reference_get_key(self->object, fibril_number(i));
    fibril_value text = fibril_reference_get(self->object, "text");
    fibril_value left = fibril_string("left behind", FIBRIL_AUTO_LENGTH);
    int err = fibril_error_code(fibril_is_error(value)  ? value
                                : fibril_is_error(text) ? text
                                                        : left);
    if (err == 0) err = fibril_array_push(self->texts, text);
    if (err != 0) self->err = err;
    if (self->owned) fibril_value_free(left);
    self->sum += fibril_value_number(value);
  }
}

static fibril_value batch(fibril_args *args) {
  sum self = {.object = fibril_arg(args, 0), .texts = fibril_array(0)};
  self.count = (int)fibril_arg_integer(args, 1);
  int err = fibril_reference_batch(self.object, add_up, &self);
  if (err == 0) err = self.err;
  fibril_value result = fibril_object();
  if (err == 0) err = fibril_object_set(result, "sum", fibril_number(self.sum));
  if (err == 0) err = fibril_object_set(result, "texts", self.texts);
  fibril_value waited = fibril_string(fibril_err_name(self.waited), FIBRIL_AUTO_LENGTH);
  if (err == 0) err = fibril_error_code(waited);
  if (err == 0) err = fibril_object_set(result, "waited", waited);
  return err != 0 ? fibril_error(err, NULL) : result;
}

static fibril_value batch_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : batch(args);
}

/* A batch in a batch, and in fibril_on_loop. */
static void add_up_inside(void *data) {
  sum *self = data;
  if (fibril_reference_batch(self->object, add_up, data) != 0) abort();
}

static fibril_value batch_nested(fibril_args *args) {
  sum self = {.object = fibril_arg(args, 0), .texts = fibril_array(0), .count = 2};
  if (fibril_reference_batch(self.object, add_up_inside, &self) != 0) abort();
  self.owned = true;
  fibril_on_loop(add_up_inside, &self);
  return self.texts;
}

/* ---- Misuse ---- */

/* An error in place of the object comes back. */
static fibril_value pass_on(fibril_value list) {
  fibril_value none = fibril_error(UV_EIO, NULL), key = fibril_number(0);
  const fibril_value passed[] = {
      fibril_reference_get(none, "x"),
      fibril_reference_get_key(none, key),
      fibril_reference_set(none, "x", key),
      fibril_reference_set_key(none, key, key),
      fibril_reference_has(none, "x"),
      fibril_reference_has_key(none, key),
      fibril_reference_delete(none, "x"),
      fibril_reference_delete_key(none, key),
      fibril_reference_call(none, "x", NULL, 0),
      fibril_reference_call_key(none, key, NULL, 0),
      fibril_reference_keys(none),
  };
  for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
    const char *name = fibril_err_name(fibril_error_code(passed[i]));
    if (fibril_array_push(list, fibril_string(name, FIBRIL_AUTO_LENGTH)) != 0) return fibril_null();
  }
  return list;
}

/* Each with a value of C's, which is no reference. */
static fibril_value misuse(fibril_args *args) {
  const char *which = fibril_arg_string(args, 0);
  fibril_value object = fibril_arg(args, 1), none = fibril_object(), list = fibril_array(0);
  step all[] = {{.operation = "get"},  {.operation = "set"},  {.operation = "has"},
                {.operation = "del"},  {.operation = "call"}, {.operation = "keys"},
                {.operation = "equal"}};
  bool of_key = strcmp(which, "key") == 0;
  fibril_value keys[] = {fibril_undefined(), fibril_null(), fibril_boolean(true), none, list,
                         fibril_arg(args, 1)};
  fibril_value objects[] = {fibril_undefined(),    fibril_number(1),          none, list,
                            fibril_string("x", 1), fibril_error(UV_EIO, NULL)};
  for (size_t i = 0; i < sizeof all / sizeof all[0] - (of_key ? 2 : 0); i++)
    for (size_t j = 0; j < 6; j++) {
      step s = all[i];
      s.object = of_key ? object : objects[j];
      s.key = of_key ? keys[j] : fibril_string("name", FIBRIL_AUTO_LENGTH);
      fibril_array_push(list, fibril_string(fibril_err_name(fibril_error_code(run_step(&s))),
                                            FIBRIL_AUTO_LENGTH));
    }
  return of_key ? list : pass_on(list);
}

static void never(void *data) {
  (void)data;
  abort();
}

static fibril_value batch_of_nothing(fibril_args *args) {
  (void)args;
  return fibril_error(fibril_reference_batch(fibril_string("x", 1), never, NULL), NULL);
}

/* ---- Kept beyond a call, and in other threads ---- */

static fibril_value shared; /* of whichever thread */
static _Thread_local fibril_value kept;

static fibril_value keep(fibril_args *args) {
  fibril_value_free(kept);
  kept = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value get_kept(fibril_args *args) {
  return fibril_reference_get(kept, fibril_arg_string(args, 0));
}

static fibril_value share(fibril_args *args) {
  fibril_value_free(shared);
  shared = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

/* Each operation with an object, or a value, of another thread. */
static fibril_value use_shared(fibril_args *args) {
  fibril_value object = fibril_arg(args, 0), codes = fibril_array(0);
  fibril_value results[] = {
      fibril_reference_get(shared, "x"),
      fibril_reference_set(shared, "x", fibril_number(1)),
      fibril_reference_set(object, "x", shared),
      fibril_reference_get_key(object, shared),
      fibril_reference_has(shared, "x"),
      fibril_reference_delete(shared, "x"),
      fibril_reference_keys(shared),
      fibril_reference_call(shared, "x", NULL, 0),
      fibril_reference_equal(shared, object),
      fibril_reference_equal(object, shared),
      fibril_call(shared, NULL, 0),
      fibril_error(fibril_reference_batch(shared, never, NULL), NULL),
  };
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    fibril_array_push(
        codes, fibril_string(fibril_err_name(fibril_error_code(results[i])), FIBRIL_AUTO_LENGTH));
  return codes;
}

/* ---- The environment's end ---- */

static fibril_value note;   /* a reference that is kept until then */
static int ended[16];       /* what came of each operation */
static _Atomic int end_ran; /* how many of them */

static void end_with(fibril_value result) {
  ended[end_ran++] = fibril_error_code(result);
}

/* Behind the last coroutine's mask: no JavaScript runs any more. */
static fibril_value at_end(void *unused) {
  (void)unused;
  if (fibril_value_kind(note) != FIBRIL_REFERENCE) return fibril_undefined();
  end_ran = 0;
  fibril_value zero = fibril_number(0);
  end_with(fibril_reference_get(note, "x"));
  end_with(fibril_reference_get_key(note, zero));
  end_with(fibril_reference_set(note, "x", zero));
  end_with(fibril_reference_set_key(note, zero, zero));
  end_with(fibril_reference_has(note, "x"));
  end_with(fibril_reference_has_key(note, zero));
  end_with(fibril_reference_delete(note, "x"));
  end_with(fibril_reference_delete_key(note, zero));
  end_with(fibril_reference_keys(note));
  end_with(fibril_reference_call(note, "x", NULL, 0));
  end_with(fibril_reference_call_key(note, zero, NULL, 0));
  end_with(fibril_reference_equal(note, note));
  end_with(fibril_symbol("x"));
  end_with(fibril_error(fibril_reference_batch(note, never, NULL), NULL));
  fibril_value_free(note);
  note = fibril_undefined();
  return fibril_undefined();
}

static fibril_value note_for_end(fibril_args *args) {
  note = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value at_ends(fibril_args *args) {
  (void)args;
  fibril_value codes = fibril_array(0);
  for (int i = 0; i < end_ran; i++)
    fibril_array_push(codes, fibril_string(fibril_err_name(ended[i]), FIBRIL_AUTO_LENGTH));
  return codes;
}

/* ---- Cancelled by what it calls ---- */

static _Thread_local fibril_future *calling;

static fibril_value get_x_soon(void *object) {
  if (fibril_pass() != 0) return fibril_error(UV_EIO, NULL); /* until `calling` is set */
  fibril_value result = fibril_reference_get(*(fibril_value *)object, "x");
  int err = fibril_moment();
  return err == UV_ECANCELED ? result : fibril_error(UV_EIO, "it was not cancelled");
}

/* A getter cancels the coroutine that it was called by: what it returns comes all the same. */
static fibril_value get_cancelled(fibril_args *args) {
  fibril_value object = fibril_arg(args, 0);
  calling = fibril_loop_spawn(fibril_loop_current(), get_x_soon, &object, NULL);
  fibril_value result = fibril_value_dup(fibril_await(calling));
  fibril_future_unref(calling);
  calling = NULL;
  return result;
}

static fibril_value cancel(fibril_args *args) {
  (void)args;
  return fibril_number(fibril_cancel(calling));
}

static fibril_value call_forever(void *object) {
  return fibril_reference_call(*(fibril_value *)object, "x", NULL, 0);
}

static fibril_value call_cancelled(fibril_args *args) {
  fibril_value object = fibril_arg(args, 0);
  calling = fibril_spawn(call_forever, &object, NULL);
  fibril_cancel(calling);
  fibril_value result = fibril_value_dup(fibril_await(calling));
  fibril_future_unref(calling);
  calling = NULL;
  return result;
}

/* ---- Symbols ---- */

static fibril_value same(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value symbol(fibril_args *args) {
  return fibril_symbol(fibril_arg_string(args, 0));
}

static fibril_value symbol_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : symbol(args);
}

/* On a thread that has no loop. */
static void symbol_here(void *data) {
  *(int *)data = fibril_error_code(fibril_symbol("x"));
}

static fibril_value symbol_elsewhere(fibril_args *args) {
  (void)args;
  int code = 0;
  int err = fibril_work(symbol_here, &code);
  return fibril_error(err != 0 ? err : code, NULL);
}

/* ---- Long names ---- */

/* A name of so many letters. */
static fibril_value long_name(fibril_args *args) {
  size_t length = (size_t)fibril_arg_number(args, 1);
  char *name = malloc(length + 1);
  if (name == NULL) return fibril_error(UV_ENOMEM, NULL);
  memset(name, 'a', length);
  name[length] = '\0';
  fibril_value results[] = {fibril_reference_get(fibril_arg(args, 0), name),
                            fibril_reference_call(fibril_arg(args, 0), name, NULL, 0),
                            fibril_symbol(name)};
  free(name);
  fibril_value list = fibril_array(0);
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    fibril_array_push(list, results[i]);
  return list;
}

/* In bytes that are no UTF-8. */
static fibril_value bad_name(fibril_args *args) {
  return fibril_reference_get(fibril_arg(args, 0), "a\xff");
}

#define OPERATION "(operation: string, object: any, key?: any, value?: any): "
#define NAMED "Named(operation: string, object: any, key?: string, value?: any): "

FIBRIL_MODULE(m) {
  fibril_export(m, "operate" NAMED "any", operate);
  fibril_export(m, "operateLater" NAMED "Promise<any>", operate_later);
  fibril_export(m, "onLoop" NAMED "any", operate_on_loop);
  fibril_export(m, "onLoopLater" NAMED "Promise<any>", operate_on_loop);
  fibril_export(m, "inBatch" NAMED "any", operate_in_batch);
  fibril_export(m, "inBatchLater" NAMED "Promise<any>", operate_in_batch_later);
  fibril_export(m, "inCallback" NAMED "Promise<any>", operate_in_callback);
  fibril_export(m, "byKey" OPERATION "any", operate_by_key);
  fibril_export(m, "byKeyLater" OPERATION "Promise<any>", operate_by_key);
  fibril_export(m, "callGot(object: object, name: string): Promise<any>", call_got);
  fibril_export(m, "callMethod(object: object, name: string): Promise<any>", call_method);
  fibril_export(m, "byKeyOnLoop" OPERATION "any", operate_on_loop);
  fibril_export(m, "getTwo(object: any): Promise<any>", get_two);
  fibril_export(m, "getStringKey(object: any, key: string): any", get_string_key);
  fibril_export(m, "batch(object: any, count: int32): any", batch);
  fibril_export(m, "batchLater(object: any, count: int32): Promise<any>", batch_later);
  fibril_export(m, "batchNested(object: any): string[]", batch_nested);
  fibril_export(m, "batchOfNothing(): void", batch_of_nothing);
  fibril_export(m, "misuse(which: string, object: any): Promise<string[]>", misuse);
  fibril_export(m, "keep(object: any): void", keep);
  fibril_export(m, "getKept(name: string): any", get_kept);
  fibril_export(m, "share(value: any): void", share);
  fibril_export(m, "useShared(object: any): Promise<string[]>", use_shared);
  fibril_export(m, "noteForEnd(object: any): void", note_for_end);
  fibril_export(m, "atEnds(): string[]", at_ends);
  fibril_export(m, "getCancelled(object: any): Promise<any>", get_cancelled);
  fibril_export(m, "cancel(): number", cancel);
  fibril_export(m, "callCancelled(object: any): Promise<any>", call_cancelled);
  fibril_export(m, "same(value: any): any", same);
  fibril_export(m, "sameLater(value: any): Promise<any>", same);
  fibril_export(m, "symbol(key: string): symbol", symbol);
  fibril_export(m, "symbolLater(key: string): Promise<symbol>", symbol_later);
  fibril_export(m, "symbolElsewhere(): Promise<symbol>", symbol_elsewhere);
  fibril_export(m, "longName(object: any, length: number): Promise<any[]>", long_name);
  fibril_export(m, "badName(object: any): any", bad_name);
  fibril_module_end(m, at_end, NULL);
}
