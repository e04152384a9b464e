/* What a module exports besides functions and classes, for test/names.test.js: enums, namespaces,
 * other names, and a default. */
#include <fibril.h>

#include <string.h>

static fibril_value same(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value fail(fibril_args *args) {
  fibril_value error = fibril_error_type(fibril_arg_string(args, 0), "ODD", "by %d", 3);
  int err = fibril_error_set(error, "by", fibril_number(3));
  return err != 0 ? fibril_error(err, NULL) : error;
}

static fibril_value main_function(fibril_args *args) {
  return fibril_number(fibril_arg_number(args, 0) + 1);
}

static fibril_value point_new(fibril_args *args) {
  *(double *)fibril_this(args) = fibril_arg_number(args, 0);
  return fibril_undefined();
}

static fibril_value read_point(fibril_args *args) {
  return fibril_number(*(double *)fibril_arg_instance(args, 0));
}

FIBRIL_MODULE(m) {
  const fibril_class_options of_point = {.size = sizeof of_point, .state_size = sizeof(double)};
  fibril_export(m, "/** The function itself. */\nplusOne(n: number): number", main_function);
  fibril_export_enum(m,
                     "/** How to open. */ Mode { READ, /** and */ WRITE = 4, BOTH, APPEND = 'a' }");
  fibril_export(m, "mode(mode: Mode): Mode", same);
  fibril_export(m, "modes(modes: (Mode | null)[], options?: { mode?: Mode = 4 }): Mode[]", same);
  fibril_export_value(m, "VERSION: string", fibril_string("1.2.3", FIBRIL_AUTO_LENGTH));
  fibril_export_alias(m, "/** The same. */ increment = plusOne");
  fibril_export_error(
      m, "/** What goes wrong. */ OddError extends RangeError { by: int32; why?: path }");
  fibril_export_error(m, "OddestError extends OddError");
  fibril_export(m, "fail(name: string): Promise<never>", fail);
  fibril_export(m, "failNow(name: string): never", fail);
  fibril_module *limits = fibril_export_namespace(m, "/** What is too much. */ limits");
  fibril_export_value(limits, "MAX: number", fibril_number(9));
  fibril_export_enum(limits, "Mode { SOFT = 'soft', HARD = 'hard' }");
  fibril_export(limits, "mode(mode: Mode): Promise<Mode>", same);
  fibril_module *points = fibril_export_namespace(limits, "points");
  fibril_class *cls = fibril_export_class(points, "Point", &of_point);
  fibril_class_constructor(cls, "(value: number)", point_new);
  fibril_export(points, "read(point: Point, mode: Mode): number", read_point);
  fibril_export_value(points, "delete: boolean", fibril_boolean(true));
  fibril_export(limits, "read(point: points.Point, mode: Mode): number", read_point);
  fibril_export(m, "read(point: limits.points.Point, mode: limits.Mode | Mode): number",
                read_point);
  fibril_export_alias(limits, "ceiling = MAX");
  fibril_export_default(m, "plusOne");
}
