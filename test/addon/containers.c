/* Objects with any keys, maps, sets, tuples, dates and symbols, for test/containers.test.js. */
#include <fibril.h>

#include <math.h>
#include <string.h>

static fibril_value same(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value same_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : fibril_arg(args, 0);
}

static fibril_value kind_of(fibril_args *args) {
  static const char *const names[] = {
      "undefined", "null",  "boolean", "number",    "bigint",   "pointer", "error", "string",
      "buffer",    "array", "object",  "reference", "instance", "date",    "map",   "set"};
  return fibril_string(names[fibril_value_kind(fibril_arg(args, 0))], FIBRIL_AUTO_LENGTH);
}

static int push_text(fibril_value list, const char *text, size_t length) {
  return fibril_array_push(list, fibril_string(text, length));
}

/* What C sees in an object: keys, lengths, values. */
static fibril_value entries(fibril_args *args) {
  fibril_value object = fibril_arg(args, 0), list = fibril_array(0);
  int err = 0;
  for (size_t i = 0; err == 0 && i < fibril_object_length(object); i++) {
    size_t length;
    const char *key = fibril_object_key(object, i, &length);
    err = push_text(list, key, length);
    if (err == 0) err = fibril_array_push(list, fibril_object_value(object, i));
  }
  if (fibril_object_key(object, fibril_object_length(object), NULL) != NULL) err = UV_EINVAL;
  return err != 0 ? fibril_error(err, NULL) : list;
}

/* The same of a map. */
static fibril_value map_entries(fibril_args *args) {
  fibril_value map = fibril_arg(args, 0), list = fibril_array(0);
  int err = 0;
  for (size_t i = 0; err == 0 && i < fibril_map_size(map); i++) {
    err = fibril_array_push(list, fibril_map_key(map, i));
    if (err == 0) err = fibril_array_push(list, fibril_map_value(map, i));
  }
  return err != 0 ? fibril_error(err, NULL) : list;
}

static fibril_value look_up(fibril_args *args) {
  fibril_value map = fibril_arg(args, 0), key = fibril_arg(args, 1);
  if (fibril_value_kind(map) == FIBRIL_SET) return fibril_boolean(fibril_set_has(map, key));
  return fibril_map_has(map, key) ? fibril_map_get(map, key) : fibril_null();
}

/* { map: 'key 0' => [0], ..., set: numbers, date } of a count. */
static fibril_value make(fibril_args *args) {
  int64_t count = fibril_arg_integer(args, 0);
  fibril_value object = fibril_object(), map = fibril_map(), set = fibril_set();
  int err = 0;
  for (int64_t i = 0; err == 0 && i < count; i++) {
    char key[32];
    int length = snprintf(key, sizeof key, "key %d", (int)i);
    fibril_value list = fibril_array(1), text = fibril_string(key, (size_t)length);
    err = fibril_error_code(text);
    if (err == 0) err = fibril_array_push(list, fibril_number((double)i));
    if (err == 0) err = fibril_map_set(map, text, list);
    if (err == 0) err = fibril_set_add(set, fibril_number((double)(i / 2)));
  }
  if (err == 0) err = fibril_object_set(object, "map", map);
  if (err == 0) err = fibril_object_set(object, "set", set);
  if (err == 0) err = fibril_object_set(object, "date", fibril_date(fibril_arg_number(args, 1)));
  return err != 0 ? fibril_error(err, NULL) : object;
}

/* Maps as deep as one asks. */
static fibril_value nest(fibril_args *args) {
  fibril_value value = fibril_number(0);
  for (int64_t i = fibril_arg_integer(args, 0); i > 0; i--) {
    fibril_value outer = i % 2 == 0 ? fibril_map() : fibril_set();
    int err =
        i % 2 == 0 ? fibril_map_set(outer, value, fibril_date(0)) : fibril_set_add(outer, value);
    if (err != 0) return fibril_error(err, NULL);
    value = outer;
  }
  return value;
}

static fibril_value milliseconds(fibril_args *args) {
  double ms = fibril_arg_number(args, 0);
  return isnan(ms) ? fibril_null() : fibril_number(ms + (double)fibril_arg_integer(args, 0));
}

/* What fails leaves everything as it was. */
static fibril_value misuse(fibril_args *args) {
  fibril_value map = fibril_map(), set = fibril_set(), results = fibril_array(0);
  const int errors[] = {
      fibril_map_set(map, map, fibril_null()),
      fibril_map_set(map, fibril_null(), map),
      fibril_map_set(set, fibril_null(), fibril_null()),
      fibril_map_set(fibril_null(), fibril_string("k", 1), fibril_string("v", 1)),
      fibril_set_add(set, set),
      fibril_set_add(map, fibril_null()),
      fibril_set_add(fibril_arg(args, 0), fibril_string("v", 1)),
      (int)fibril_map_size(map),
      (int)fibril_set_size(set),
      (int)fibril_map_size(set),
      (int)fibril_object_length(map),
      fibril_map_has(set, fibril_null()),
      fibril_set_has(map, fibril_null()),
  };
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    if (fibril_array_push(results, fibril_number(errors[i])) != 0) return fibril_null();
  return results;
}

static fibril_value yield_it(fibril_args *args, fibril_generator *generator) {
  fibril_value sent = fibril_yield(generator, fibril_arg(args, 0));
  return fibril_is_error(sent) ? sent : fibril_arg(args, 0);
}

static fibril_value pass(fibril_args *args) {
  const fibril_value passed = fibril_arg(args, 1);
  return fibril_call(fibril_arg(args, 0), &passed, 1);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "record(value: Record<string, number>): Record<string, number>", same);
  fibril_export(m, "recordLater(value: Record<string, any>): Promise<Record<string, unknown>>",
                same_later);
  fibril_export(m, "records(value: Record<string, Record<string, int32[]>>): unknown", same);
  fibril_export(m, "entries(value: Record<string, any>): unknown[]", entries);
  fibril_export(m, "map(value: Map<string | number | null, boolean>): Map<string, boolean>", same);
  fibril_export(m, "mapLater(value: ReadonlyMap<any, any>): Promise<Map<unknown, unknown>>",
                same_later);
  fibril_export(m, "mapEntries(value: Map<any, any>): unknown[]", map_entries);
  fibril_export(m, "dateEntries(value: Map<Date, int32>): unknown[]", map_entries);
  fibril_export(m, "maps(value: Map<int32, Map<string, Set<bigint>>>): unknown", same);
  fibril_export(m, "lookUp(value: Map<any, any> | Set<any>, key: string | any): unknown", look_up);
  fibril_export(m, "lookUpText(value: Map<string, number> | Set<string>, key: string): unknown",
                look_up);
  fibril_export(m, "set(value: Set<string | Date>): Set<string | Date>", same);
  fibril_export(m, "setLater(value: ReadonlySet<any>): Promise<Set<unknown>>", same_later);
  fibril_export(m, "date(value: Date): Date", same);
  fibril_export(m, "milliseconds(value: Date | null): number | null", milliseconds);
  fibril_export(m, "symbol(value: symbol): symbol", same);
  fibril_export(m, "pair(value: [string, number]): [string, number]", same);
  fibril_export(m, "point(value: readonly [x: number, y?: number, tag?: 'a' | 'b']): number[]",
                same);
  fibril_export(m, "empty(value: []): []", same);
  fibril_export(m, "pairs(...value: [string, [int32?]?][]): unknown[]", same);
  fibril_export(m,
                "kindOf(value: Map<string, number> | Set<string> | [number, string] | "
                "Record<string, boolean> | Date | symbol | string | bytes | null): string",
                kind_of);
  fibril_export(m, "kindOfObject(value: Map<string, number> | Set<string> | object): string",
                kind_of);
  fibril_export(m,
                "options(options?: { env?: Record<string, string>, since?: Date = null, "
                "at?: [number, number], names?: Set<string> }): number",
                milliseconds);
  fibril_export(m,
                "make(count: int32, ms: number): { map: Map<string, number[]>, set: Set<number>, "
                "date: Date }",
                make);
  fibril_export(m, "nest(depth: int32): unknown", nest);
  fibril_export(m, "misuse(value: string): number[]", misuse);
  fibril_export(m,
                "pass(fn: Function, value: Map<any, any> | Set<any> | Date | Record<string, any>): "
                "Promise<unknown>",
                pass);
  fibril_export_generator(
      m, "yielded(value: Map<any, any> | Set<any> | Date | [any, any]): Generator<unknown>",
      yield_it, NULL);
}
