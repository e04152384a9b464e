/* The types of a signature's parameters, and the parameters. */
#include "declared.h"
#include "known.h"

#include "../../core/value/box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Decoding goes as deep as types do, on the loop's stack. */
#define DEPTH_MAX 16
/* An AbortSignal is a parameter (1) or a property of one (2). */
#define SIGNAL_DEPTH_MAX 2

/* What has types of its own. */
#define HAS_TYPES (FIBRIL__CONTAINERS | FIBRIL__RECORD | FIBRIL__DICTIONARY)

static const char signal_place[] = "AbortSignal only as a parameter or an option";

static const char a_type[] =
    "a type (string, number, int32, bytes, {...}, T[], [A, B], () => T, a class or an enum exported "
    "before, or another that docs/c-api.md has)";

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

/* Of what both could have, one has nothing. */
static void merge_containers(fibril__type *type, const fibril__type *member) {
  if (member->element != NULL) type->element = member->element;
  if (member->value != NULL) type->value = member->value;
  if (member->item != NULL) type->item = member->item;
  if (member->entry != NULL) type->entry = member->entry;
  if (member->accepts & FIBRIL__TUPLE) {
    type->places = member->places;
    type->place_count = member->place_count;
  }
  if (member->accepts & FIBRIL__RECORD) {
    type->properties = member->properties;
    type->property_count = member->property_count;
  }
}

/* Takes `member`, also on failure. */
static bool merge_types(fibril__scan *scan, fibril__type *type, fibril__type *member) {
  static const uint32_t exclusive[] = {
      FIBRIL__NUMBERS,
      FIBRIL__ARRAY | FIBRIL__TUPLE,
      FIBRIL__RECORD | FIBRIL__OBJECT | FIBRIL__DICTIONARY,
      FIBRIL__MAP,
      FIBRIL__SET,
      FIBRIL__PATH | FIBRIL__STRING,
      FIBRIL__PATH | FIBRIL__BYTES,
  };
  for (size_t i = 0; i < sizeof exclusive / sizeof exclusive[0]; i++) {
    uint32_t both = exclusive[i] & type->accepts, more = exclusive[i] & member->accepts;
    if (both == 0 || more == 0) continue;
    if (both == more && !(both & HAS_TYPES)) continue; /* said twice */
    fibril__type_free(member);
    return fibril__scan_fail(scan, "types that can be told apart");
  }
  if (!merge_lists(type, member)) {
    fibril__type_free(member);
    return fibril__scan_no_memory(scan);
  }
  type->accepts |= member->accepts;
  type->views |= member->views;
  merge_containers(type, member);
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
  if (fibril__type_of_word(start, length, type)) {
    if (type->accepts != FIBRIL__SIGNAL || scan->depth <= SIGNAL_DEPTH_MAX) return true;
    scan->at = start;
    return fibril__scan_fail(scan, signal_place);
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

/* The runtime looks for AbortSignals in parameters and options only. */
static bool has_no_signal(fibril__scan *scan, const fibril__type *type) {
  bool has = type->accepts & FIBRIL__SIGNAL;
  for (uint32_t i = 0; i < type->property_count; i++)
    has |= (type->properties[i].type.accepts & FIBRIL__SIGNAL) != 0;
  return !has || fibril__scan_fail(scan, signal_place);
}

/* Makes a type that of an array's elements. */
static bool make_array_type(fibril__scan *scan, fibril__type *type) {
  if (!has_no_signal(scan, type)) return false;
  fibril__type *element = malloc(sizeof *element);
  if (element == NULL) return fibril__scan_no_memory(scan);
  *element = *type;
  *type = (fibril__type){.accepts = FIBRIL__ARRAY, .element = element};
  return true;
}

/* "<" and `count` types with ">" behind them, as *types. */
static bool parse_generic(fibril__scan *scan, fibril__type **types, size_t count) {
  if (!fibril__scan_skip(scan, '<')) return fibril__scan_fail(scan, "'<'");
  *types = calloc(count, sizeof **types);
  if (*types == NULL) return fibril__scan_no_memory(scan);
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && !fibril__scan_skip(scan, ',')) return fibril__scan_fail(scan, "','");
    if (!fibril__type_parse(scan, &(*types)[i])) return false;
    if (!has_no_signal(scan, &(*types)[i])) return false;
  }
  return fibril__scan_skip(scan, '>') || fibril__scan_fail(scan, "'>'");
}

static bool parse_dictionary(fibril__scan *scan, fibril__type *type) {
  type->accepts = FIBRIL__DICTIONARY;
  if (!fibril__scan_skip(scan, '<')) return fibril__scan_fail(scan, "'<'");
  if (!fibril__scan_word(scan, "string")) return fibril__scan_fail(scan, "string");
  if (!fibril__scan_skip(scan, ',')) return fibril__scan_fail(scan, "','");
  type->value = calloc(1, sizeof *type->value);
  if (type->value == NULL) return fibril__scan_no_memory(scan);
  if (!fibril__type_parse(scan, type->value) || !has_no_signal(scan, type->value)) return false;
  return fibril__scan_skip(scan, '>') || fibril__scan_fail(scan, "'>'");
}

/* One place of a tuple: a type with "?" behind it perhaps, or with a label as a parameter is. */
static bool parse_place(fibril__scan *scan, fibril__parameter *place) {
  *place = (fibril__parameter){.initial = fibril_undefined()};
  bool labelled = fibril__scan_label(scan, &place->optional);
  if (!fibril__type_parse(scan, &place->type)) return false;
  if (!labelled) place->optional = fibril__scan_skip(scan, '?');
  return true;
}

static bool parse_tuple(fibril__scan *scan, fibril__type *type) {
  type->accepts = FIBRIL__TUPLE;
  while (!fibril__scan_skip(scan, ']')) {
    fibril__parameter place;
    if (!parse_place(scan, &place)) return false;
    bool late =
        !place.optional && type->place_count > 0 && type->places[type->place_count - 1].optional;
    if (!has_no_signal(scan, &place.type) ||
        (late && !fibril__scan_fail(scan, "'?', as in the place before"))) {
      fibril__parameters_free(&place, 1);
      return false;
    }
    if (!fibril__type_append((void **)&type->places, &type->place_count, &place, 1, sizeof place)) {
      fibril__parameters_free(&place, 1);
      return fibril__scan_no_memory(scan);
    }
    if (!fibril__scan_skip(scan, ',') && !fibril__scan_peek(scan, ']'))
      return fibril__scan_fail(scan, "',' or ']'");
  }
  return true;
}

/* A type of JavaScript's with others in angle brackets; false, with no failure: it is none. */
static bool parse_container(fibril__scan *scan, fibril__type *type, bool *is) {
  *is = true;
  if (fibril__scan_word(scan, "Array") || fibril__scan_word(scan, "ReadonlyArray")) {
    type->accepts = FIBRIL__ARRAY;
    return parse_generic(scan, &type->element, 1);
  }
  if (fibril__scan_word(scan, "Map") || fibril__scan_word(scan, "ReadonlyMap")) {
    type->accepts = FIBRIL__MAP;
    return parse_generic(scan, &type->entry, 2);
  }
  if (fibril__scan_word(scan, "Set") || fibril__scan_word(scan, "ReadonlySet")) {
    type->accepts = FIBRIL__SET;
    return parse_generic(scan, &type->item, 1);
  }
  if (fibril__scan_word(scan, "Record")) return parse_dictionary(scan, type);
  *is = false;
  return false;
}

/* `first`: of a union, where a function type takes what follows for its result. */
static bool parse_primary(fibril__scan *scan, fibril__type *type, bool first) {
  bool is;
  if (fibril__scan_at_literal(scan)) return parse_literal_type(scan, type);
  bool parsed = parse_container(scan, type, &is);
  if (is) return parsed;
  if (fibril__scan_peek(scan, '(') && is_function_type(scan->at)) {
    if (!first) return fibril__scan_fail(scan, "a function type in parentheses");
    type->accepts = FIBRIL__FUNCTION;
    return fibril__scan_foreign(scan);
  }
  if (fibril__scan_skip(scan, '(')) {
    if (!fibril__type_parse(scan, type)) return false;
    return fibril__scan_skip(scan, ')') || fibril__scan_fail(scan, "')'");
  }
  if (fibril__scan_skip(scan, '[')) return parse_tuple(scan, type);
  return fibril__scan_skip(scan, '{') ? parse_record(scan, type) : parse_word(scan, type);
}

static bool parse_member(fibril__scan *scan, fibril__type *type, bool first) {
  bool readonly = fibril__scan_word(scan, "readonly");
  if (!parse_primary(scan, type, first && !readonly)) return false;
  if (readonly && type->accepts != FIBRIL__TUPLE && !fibril__scan_peek(scan, '['))
    return fibril__scan_fail(scan, "'[]'");
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

static bool parse_default(fibril__scan *scan, fibril__parameter *parameter) {
  fibril__scan_peek(scan, '\0');
  const char *start = scan->at;
  if (!fibril__scan_literal(scan, &parameter->initial)) return false;
  parameter->has_default = parameter->optional = true;
  if (fibril__default_fits(&parameter->type, parameter->initial)) return true;
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
