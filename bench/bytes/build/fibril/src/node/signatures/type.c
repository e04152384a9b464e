/* The types of a signature's parameters, and the parameters. */
#include "declared.h"

#include "../../core/value/box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Decoding goes as deep as types do, on the loop's stack. */
#define DEPTH_MAX 16
/* An AbortSignal is a parameter (1) or a property of one (2). */
#define SIGNAL_DEPTH_MAX 2

#define VIEW(type) (1u << (type))

static const char a_type[] =
    "a type (string, number, int32, bytes, {...}, T[], () => T, a class or an enum exported "
    "before, or another that docs/c-api.md has)";

static const struct {
  const char *name;
  uint32_t accepts, views;
} words[] = {
    {"any", FIBRIL__ANY, 0},
    {"unknown", FIBRIL__ANY, 0},
    {"undefined", FIBRIL__UNDEFINED, 0},
    {"void", FIBRIL__UNDEFINED, 0},
    {"null", FIBRIL__NULL, 0},
    {"string", FIBRIL__STRING, 0},
    {"number", FIBRIL__NUMBER, 0},
    {"int32", FIBRIL__INT32, 0},
    {"uint32", FIBRIL__UINT32, 0},
    {"int64", FIBRIL__INT64, 0},
    {"boolean", FIBRIL__BOOLEAN, 0},
    {"bigint", FIBRIL__BIGINT, 0},
    {"path", FIBRIL__PATH, 0},
    {"object", FIBRIL__OBJECT, 0},
    {"Function", FIBRIL__FUNCTION, 0},
    {"AbortSignal", FIBRIL__SIGNAL, 0},
    {"bytes", FIBRIL__BYTES, FIBRIL__VIEW_ANY},
    {"ArrayBufferView", FIBRIL__BYTES, FIBRIL__VIEW_ANY & ~FIBRIL__VIEW_ARRAYBUFFER},
    {"Buffer", FIBRIL__BYTES, FIBRIL__VIEW_BUFFER},
    {"DataView", FIBRIL__BYTES, FIBRIL__VIEW_DATAVIEW},
    {"ArrayBuffer", FIBRIL__BYTES, FIBRIL__VIEW_ARRAYBUFFER},
    {"Int8Array", FIBRIL__BYTES, VIEW(0)}, /* in the order of napi_typedarray_type */
    {"Uint8Array", FIBRIL__BYTES, VIEW(1)},
    {"Uint8ClampedArray", FIBRIL__BYTES, VIEW(2)},
    {"Int16Array", FIBRIL__BYTES, VIEW(3)},
    {"Uint16Array", FIBRIL__BYTES, VIEW(4)},
    {"Int32Array", FIBRIL__BYTES, VIEW(5)},
    {"Uint32Array", FIBRIL__BYTES, VIEW(6)},
    {"Float32Array", FIBRIL__BYTES, VIEW(7)},
    {"Float64Array", FIBRIL__BYTES, VIEW(8)},
    {"BigInt64Array", FIBRIL__BYTES, VIEW(9)},
    {"BigUint64Array", FIBRIL__BYTES, VIEW(10)},
    {"Float16Array", FIBRIL__BYTES, VIEW(11)},
};

bool fibril__type_is_word(const char *name, size_t length) {
  static const char *const others[] = {"Array",     "ReadonlyArray",  "Promise",
                                       "Generator", "AsyncGenerator", "Symbol",
                                       "this",      "never",          "symbol"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (fibril__scan_is(name, length, words[i].name)) return true;
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (fibril__scan_is(name, length, others[i])) return true;
  return false;
}

void fibril__parameters_free(fibril__parameter *parameters, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    fibril__type_free(&parameters[i].type);
    fibril_value_free(parameters[i].initial);
  }
}

void fibril__type_free(fibril__type *type) {
  if (type->element != NULL) fibril__type_free(type->element);
  free(type->element);
  fibril__parameters_free(type->properties, type->property_count);
  free(type->properties);
  for (uint32_t i = 0; i < type->literal_count; i++) fibril_value_free(type->literals[i]);
  free(type->literals);
  free(type->classes);
  *type = (fibril__type){0};
}

/* ---- Unions ---- */

/* What both have is in `type` then, and no more in `member`. */
static bool merge_lists(fibril__type *type, fibril__type *member) {
  if (!fibril__type_append((void **)&type->classes, &type->class_count, member->classes,
                           member->class_count, sizeof *type->classes) ||
      !fibril__type_append((void **)&type->literals, &type->literal_count, member->literals,
                           member->literal_count, sizeof *type->literals))
    return false;
  free(member->classes);
  free(member->literals);
  return true;
}

/* Takes `member`, also on failure. */
static bool merge_types(fibril__scan *scan, fibril__type *type, fibril__type *member) {
  static const uint32_t exclusive[] = {
      FIBRIL__NUMBERS,
      FIBRIL__ARRAY,
      FIBRIL__RECORD | FIBRIL__OBJECT,
      FIBRIL__PATH | FIBRIL__STRING,
      FIBRIL__PATH | FIBRIL__BYTES,
  };
  for (size_t i = 0; i < sizeof exclusive / sizeof exclusive[0]; i++) {
    uint32_t both = exclusive[i] & type->accepts, more = exclusive[i] & member->accepts;
    if (both == 0 || more == 0) continue;
    if (both == more && !(both & (FIBRIL__ARRAY | FIBRIL__RECORD))) continue; /* said twice */
    fibril__type_free(member);
    return fibril__scan_fail(scan, "types that can be told apart");
  }
  if (!merge_lists(type, member)) {
    fibril__type_free(member);
    return fibril__scan_no_memory(scan);
  }
  type->accepts |= member->accepts;
  type->views |= member->views;
  if (member->element != NULL) type->element = member->element;
  if (member->properties != NULL) {
    type->properties = member->properties;
    type->property_count = member->property_count;
  }
  return true;
}

/* ---- One member of a union ---- */

static bool take_declared(fibril__scan *scan, fibril__type *type,
                          const fibril__declared *declared) {
  if (declared->literals == NULL) {
    type->accepts = FIBRIL__INSTANCE;
    return fibril__type_append((void **)&type->classes, &type->class_count, &declared, 1,
                               sizeof *type->classes) ||
           fibril__scan_no_memory(scan);
  }
  const fibril__type *literals = declared->literals;
  type->accepts = FIBRIL__LITERAL;
  if (!fibril__type_append((void **)&type->literals, &type->literal_count, literals->literals,
                           literals->literal_count, sizeof *type->literals))
    return fibril__scan_no_memory(scan);
  for (uint32_t i = 0; i < type->literal_count; i++)
    type->literals[i] = fibril_value_dup(type->literals[i]);
  return true;
}

static bool parse_word(fibril__scan *scan, fibril__type *type) {
  const char *start;
  size_t length;
  if (!fibril__scan_name(scan, a_type, &start, &length)) return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!fibril__scan_is(start, length, words[i].name)) continue;
    if (words[i].accepts == FIBRIL__SIGNAL && scan->depth > SIGNAL_DEPTH_MAX) {
      scan->at = start;
      return fibril__scan_fail(scan, "AbortSignal only as a parameter or an option");
    }
    type->accepts = words[i].accepts;
    type->views = words[i].views;
    return true;
  }
  fibril__scan_dotted(scan, start, &length);
  const fibril__declared *declared = fibril__declared_find(scan, start, length);
  if (declared != NULL) return take_declared(scan, type, declared);
  scan->at = start;
  return fibril__scan_fail(scan, a_type);
}

static bool parse_literal_type(fibril__scan *scan, fibril__type *type) {
  type->literals = malloc(sizeof *type->literals);
  if (type->literals == NULL) return fibril__scan_no_memory(scan);
  const char *start = scan->at;
  if (!fibril__scan_literal(scan, type->literals)) return false;
  type->literal_count = 1;
  type->accepts = FIBRIL__LITERAL;
  fibril_value value = type->literals[0];
  bool finite = fibril_value_kind(value) != FIBRIL_NUMBER || isfinite(value.as.number);
  if (finite && fibril_value_kind(value) != FIBRIL_BIGINT) return true;
  scan->at = start;
  return fibril__scan_fail(scan, "a literal that is a string, a finite number or a boolean");
}

/* Where there is "(": does "=>" follow its ")"? */
static bool is_function_type(const char *at) {
  int depth = 0;
  for (; *at != '\0'; at++) {
    if (*at == '\'' || *at == '"') {
      char quote = *at++;
      for (; *at != '\0' && *at != quote; at++)
        if (*at == '\\' && at[1] != '\0') at++;
      if (*at == '\0') return false;
    } else if (*at == '(') {
      depth++;
    } else if (*at == ')' && --depth == 0) {
      do at++;
      while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r');
      return at[0] == '=' && at[1] == '>';
    }
  }
  return false;
}

static bool has_property(const fibril__type *type, const fibril__parameter *property) {
  for (uint32_t i = 0; i < type->property_count; i++)
    if (fibril__type_is_named(&type->properties[i], property)) return true;
  return false;
}

static bool parse_record(fibril__scan *scan, fibril__type *type) {
  type->accepts = FIBRIL__RECORD;
  while (!fibril__scan_skip(scan, '}')) {
    fibril__parameter property, *properties;
    fibril__scan_peek(scan, '\0');
    const char *start = scan->at;
    if (!fibril__parameter_parse(scan, &property)) return false;
    bool again = has_property(type, &property);
    properties = again ? NULL
                       : realloc(type->properties,
                                 (type->property_count + (size_t)1) * sizeof *type->properties);
    if (properties == NULL) {
      fibril__parameters_free(&property, 1);
      if (!again) return fibril__scan_no_memory(scan);
      scan->at = start;
      return fibril__scan_fail(scan, "another name");
    }
    type->properties = properties;
    properties[type->property_count++] = property;
    if (!fibril__scan_skip(scan, ',') && !fibril__scan_skip(scan, ';') &&
        !fibril__scan_peek(scan, '}'))
      return fibril__scan_fail(scan, "',' or '}'");
  }
  return true;
}

/* Makes a type that of an array's elements. */
static bool make_array_type(fibril__scan *scan, fibril__type *type) {
  for (uint32_t i = 0; i < type->property_count; i++)
    if (type->properties[i].type.accepts & FIBRIL__SIGNAL)
      return fibril__scan_fail(scan, "no array of what has an AbortSignal");
  if (type->accepts & FIBRIL__SIGNAL) return fibril__scan_fail(scan, "no array of AbortSignals");
  fibril__type *element = malloc(sizeof *element);
  if (element == NULL) return fibril__scan_no_memory(scan);
  *element = *type;
  *type = (fibril__type){.accepts = FIBRIL__ARRAY, .element = element};
  return true;
}

/* `first`: of a union, where a function type takes what follows for its result. */
static bool parse_primary(fibril__scan *scan, fibril__type *type, bool first) {
  if (fibril__scan_at_literal(scan)) return parse_literal_type(scan, type);
  if (fibril__scan_word(scan, "Array") || fibril__scan_word(scan, "ReadonlyArray")) {
    if (!fibril__scan_skip(scan, '<')) return fibril__scan_fail(scan, "'<'");
    if (!fibril__type_parse(scan, type)) return false;
    if (!fibril__scan_peek(scan, '>')) return fibril__scan_fail(scan, "'>'");
    if (!make_array_type(scan, type)) return false;
    scan->at++;
    return true;
  }
  if (fibril__scan_peek(scan, '(') && is_function_type(scan->at)) {
    if (!first) return fibril__scan_fail(scan, "a function type in parentheses");
    type->accepts = FIBRIL__FUNCTION;
    return fibril__scan_foreign(scan);
  }
  if (fibril__scan_skip(scan, '(')) {
    if (!fibril__type_parse(scan, type)) return false;
    return fibril__scan_skip(scan, ')') || fibril__scan_fail(scan, "')'");
  }
  return fibril__scan_skip(scan, '{') ? parse_record(scan, type) : parse_word(scan, type);
}

static bool parse_member(fibril__scan *scan, fibril__type *type, bool first) {
  bool readonly = fibril__scan_word(scan, "readonly");
  if (!parse_primary(scan, type, first && !readonly)) return false;
  if (readonly && !fibril__scan_peek(scan, '[')) return fibril__scan_fail(scan, "'[]'");
  for (unsigned depth = scan->depth; fibril__scan_peek(scan, '['); depth++) {
    if (depth == DEPTH_MAX) return fibril__scan_fail(scan, "fewer types in types");
    if (!make_array_type(scan, type)) return false;
    scan->at++;
    if (!fibril__scan_skip(scan, ']')) return fibril__scan_fail(scan, "']'");
  }
  return true;
}

bool fibril__type_parse(fibril__scan *scan, fibril__type *type) {
  bool parsed = true;
  *type = (fibril__type){0};
  if (scan->depth == DEPTH_MAX) return fibril__scan_fail(scan, "fewer types in types");
  scan->depth++;
  bool first = !fibril__scan_skip(scan, '|');
  do {
    fibril__type next = {0};
    fibril__scan_peek(scan, '\0');
    const char *start = scan->at;
    parsed = parse_member(scan, &next, first);
    first = false;
    if (parsed) {
      const char *end = scan->at;
      scan->at = start;
      parsed = merge_types(scan, type, &next);
      if (parsed) scan->at = end;
    } else {
      fibril__type_free(&next);
    }
  } while (parsed && fibril__scan_skip(scan, '|'));
  scan->depth--;
  if (parsed && type->accepts & FIBRIL__SIGNAL &&
      (type->accepts & ~(uint32_t)FIBRIL__UNDEFINED) != FIBRIL__SIGNAL)
    parsed = fibril__scan_fail(scan, "an AbortSignal and nothing else");
  if (!parsed) fibril__type_free(type);
  return parsed;
}

/* ---- Parameters ---- */

static bool same_literal(fibril_value a, fibril_value b) {
  size_t a_length, b_length;
  const char *a_text = fibril_value_string(a, &a_length),
             *b_text = fibril_value_string(b, &b_length);
  if (a_text != NULL && b_text != NULL)
    return a_length == b_length && memcmp(a_text, b_text, a_length) == 0;
  if (fibril_value_kind(a) != fibril_value_kind(b)) return false;
  return fibril_value_kind(a) == FIBRIL_NUMBER ? a.as.number == b.as.number
                                               : a.as.integer == b.as.integer;
}

bool fibril__type_has_literal(const fibril__type *type, fibril_value value) {
  for (uint32_t i = 0; i < type->literal_count; i++)
    if (same_literal(type->literals[i], value)) return true;
  return false;
}

bool fibril__number_fits(uint32_t accepts, double number) {
  if (accepts & FIBRIL__NUMBER) return true;
  if (!isfinite(number) || number != floor(number)) return false;
  if (accepts & FIBRIL__INT32) return number >= INT32_MIN && number <= INT32_MAX;
  if (accepts & FIBRIL__UINT32) return number >= 0 && number <= UINT32_MAX;
  return fabs(number) <= 9007199254740991.0;
}

static bool default_fits(const fibril__type *type, fibril_value value) {
  if (type->accepts & FIBRIL__ANY || fibril__type_has_literal(type, value)) return true;
  size_t length;
  const char *text = fibril_value_string(value, &length);
  switch (fibril_value_kind(value)) {
    case FIBRIL_STRING:
      return type->accepts & FIBRIL__STRING ||
             (type->accepts & FIBRIL__PATH && strlen(text) == length);
    case FIBRIL_NUMBER:
      return type->accepts & FIBRIL__NUMBERS && fibril__number_fits(type->accepts, value.as.number);
    case FIBRIL_BOOLEAN: return type->accepts & FIBRIL__BOOLEAN;
    case FIBRIL_BIGINT: return type->accepts & FIBRIL__BIGINT;
    default: return true; /* null: as good as none */
  }
}

static bool parse_default(fibril__scan *scan, fibril__parameter *parameter) {
  fibril__scan_peek(scan, '\0');
  const char *start = scan->at;
  if (!fibril__scan_literal(scan, &parameter->initial)) return false;
  parameter->has_default = parameter->optional = true;
  if (default_fits(&parameter->type, parameter->initial)) return true;
  scan->at = start;
  return fibril__scan_fail(scan, "a default of the parameter's type");
}

bool fibril__parameter_parse(fibril__scan *scan, fibril__parameter *parameter) {
  *parameter = (fibril__parameter){.initial = fibril_undefined()};
  if (!fibril__scan_name(scan, "a name", &parameter->name, &parameter->name_length)) return false;
  parameter->optional = fibril__scan_skip(scan, '?');
  if (!fibril__scan_skip(scan, ':')) return fibril__scan_fail(scan, "':'");
  if (!fibril__type_parse(scan, &parameter->type)) return false;
  if (!fibril__scan_skip(scan, '=') || parse_default(scan, parameter)) return true;
  fibril__parameters_free(parameter, 1);
  return false;
}
