#include "addon.h"

#include "export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_MAX 9007199254740991.0 /* Number.MAX_SAFE_INTEGER */

/* "12345" as "12_345". */
static void separate_thousands(char *digits, size_t length) {
  for (size_t end = length; end > 3; length++) {
    end -= 3;
    memmove(digits + end + 1, digits + end, length - end + 1);
    digits[end] = '_';
  }
}

/* A number that is refused, as Node's messages write it. */
static const char *describe_number(double number, char text[64]) {
  if (isnan(number)) return "NaN";
  if (isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  double size = fabs(number);
  if (size > 4294967296.0 && size < 1e21 && floor(size) == size) {
    char *digits = text + (number < 0);
    text[0] = '-';
    separate_thousands(digits, (size_t)snprintf(digits, 32, "%.0f", size));
    return text;
  }
  for (int digits = 1; digits <= 17;
       digits++) { /* the fewest that mean this number, as in JavaScript */
    snprintf(text, 64, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return text;
}

static fibril_value sleep_ms(fibril_args *args) {
  double ms = fibril_arg_number(args, 0);
  char text[64];
  if (!(ms >= 0 && ms <= MS_MAX))
    return fibril_error_type(
        "RangeError", "ERR_OUT_OF_RANGE",
        "The value of \"ms\" is out of range. It must be >= 0 && <= 9007199254740991. Received %s",
        describe_number(ms, text));
  int err = fibril_sleep(ms);
  return err != 0 ? fibril_error(err, NULL) : fibril_arg(args, 1);
}

int addon_export_sleep(fibril_module *module) {
  return addon_export(module, "sleep(ms: number, value?: any): Promise<any>", sleep_ms);
}
