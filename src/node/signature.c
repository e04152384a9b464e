#include "signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* function   = name parameters ":" "Promise" "<" type ">"
 * getter     = name ":" type
 * parameters = "(" [ parameter { "," parameter } ] ")"
 * parameter  = name [ "?" ] ":" ( type | object ) [ "=" default ]
 * object     = "{" property { ( "," | ";" ) property } "}"
 * property   = name [ "?" ] ":" type [ "=" default ]
 * default    = number | "true" | "false" | "null" */
typedef struct {
  const char *text, *at, *expected;
  fibril__signature *out;
} parser;

static bool fail(parser *p, const char *expected) {
  if (p->expected == NULL) p->expected = expected;
  return false;
}

static void skip_space(parser *p) {
  while (isspace((unsigned char)*p->at)) p->at++;
}

static bool peek(parser *p, char c) {
  skip_space(p);
  return *p->at == c;
}

static bool skip(parser *p, char c) {
  if (!peek(p, c)) return false;
  p->at++;
  return true;
}

static bool is_name(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static bool name(parser *p, const char **start, size_t *length) {
  skip_space(p);
  *start = p->at;
  while (is_name(*p->at)) p->at++;
  *length = (size_t)(p->at - *start);
  return *length > 0 && !isdigit((unsigned char)**start) ? true : fail(p, "a name");
}

static const struct {
  const char *name;
  fibril__type type;
} types[] = {
    {"any", FIBRIL__TYPE_ANY},
    {"string", FIBRIL__TYPE_STRING},
    {"number", FIBRIL__TYPE_NUMBER},
    {"int32", FIBRIL__TYPE_INT32},
    {"uint32", FIBRIL__TYPE_UINT32},
    {"int64", FIBRIL__TYPE_INT64},
    {"boolean", FIBRIL__TYPE_BOOLEAN},
    {"bytes", FIBRIL__TYPE_BYTES},
    {"path", FIBRIL__TYPE_PATH},
    {"Function", FIBRIL__TYPE_FUNCTION},
    {"AbortSignal", FIBRIL__TYPE_SIGNAL},
};

static bool type(parser *p, fibril__type *out) {
  const char *start;
  size_t length;
  if (!name(p, &start, &length)) return fail(p, "a type");
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (strlen(types[i].name) != length || memcmp(types[i].name, start, length) != 0) continue;
    *out = types[i].type;
    return true;
  }
  p->at = start;
  return fail(
      p,
      "a type (any, string, number, int32, uint32, int64, boolean, bytes, path, Function, AbortSignal)");
}

static bool initial(parser *p, fibril__parameter *parameter) {
  if (!skip(p, '=')) return true;
  skip_space(p);
  char *end;
  double number = strtod(p->at, &end);
  parameter->has_default = parameter->optional = true;
  if (end != p->at) {
    parameter->initial = fibril_number(number);
    p->at = end;
    return true;
  }
  const char *start;
  size_t length;
  if (!name(p, &start, &length)) return fail(p, "a default: a number, true, false or null");
  if (length == 4 && memcmp(start, "true", 4) == 0)
    parameter->initial = fibril_boolean(true);
  else if (length == 5 && memcmp(start, "false", 5) == 0)
    parameter->initial = fibril_boolean(false);
  else if (length == 4 && memcmp(start, "null", 4) == 0)
    parameter->initial = fibril_null();
  else
    return fail(p, "a default: a number, true, false or null");
  return true;
}

/* name [ "?" ] ":" */
static bool head(parser *p, fibril__parameter *parameter) {
  *parameter = (fibril__parameter){.initial = fibril_undefined()};
  if (!name(p, &parameter->name, &parameter->name_length)) return false;
  parameter->optional = skip(p, '?');
  return skip(p, ':') ? true : fail(p, "':'");
}

static bool object(parser *p, fibril__parameter *parameter) {
  parameter->type = FIBRIL__TYPE_OBJECT;
  parameter->first = p->out->property_count;
  while (!skip(p, '}')) {
    if (p->out->property_count == FIBRIL__PROPERTIES_MAX) return fail(p, "at most 16 properties");
    fibril__parameter *property = &p->out->properties[p->out->property_count++];
    if (!head(p, property) || !type(p, &property->type) || !initial(p, property)) return false;
    if (!skip(p, ',') && !skip(p, ';') && !peek(p, '}')) return fail(p, "',' or '}'");
  }
  parameter->count = p->out->property_count - parameter->first;
  return true;
}

static bool parameters(parser *p) {
  fibril__signature *out = p->out;
  if (!skip(p, '(')) return fail(p, "'('");
  while (!skip(p, ')')) {
    if (out->count == FIBRIL__PARAMETERS_MAX) return fail(p, "at most 8 parameters");
    fibril__parameter *parameter = &out->parameters[out->count++];
    if (!head(p, parameter)) return false;
    if (!(skip(p, '{') ? object(p, parameter) : type(p, &parameter->type))) return false;
    if (!initial(p, parameter)) return false;
    if (out->count > 1 && out->parameters[out->count - 2].optional && !parameter->optional)
      return fail(p, "no required parameter after an optional one");
    if (!skip(p, ',') && !peek(p, ')')) return fail(p, "',' or ')'");
  }
  return true;
}

static bool end(parser *p) {
  return peek(p, '\0') ? true : fail(p, "the end");
}

/* The result's type is TypeScript's business: only its brackets must match, of which "=>" has none.
 */
static bool brackets(parser *p) {
  int depth = 0;
  for (; *p->at != '\0'; p->at++) {
    if (strchr("<{([", *p->at) != NULL) depth++;
    if (p->at[0] == '>' && p->at[-1] == '=') continue;
    if (strchr(">})]", *p->at) != NULL && --depth == 0) break;
  }
  if (*p->at == '\0') return depth == 0;
  p->at++;
  return true;
}

static bool promise(parser *p) {
  const char *start;
  size_t length;
  if (!skip(p, ':')) return fail(p, "':' and the type of the result");
  if (!name(p, &start, &length) || length != 7 || memcmp(start, "Promise", 7) != 0)
    return fail(p, "Promise<...>");
  if (!peek(p, '<')) return fail(p, "'<'");
  return brackets(p) ? end(p) : fail(p, "'>'");
}

/* Of a getter: anything, up to the end. */
static bool property_type(parser *p) {
  if (!skip(p, ':') || peek(p, '\0')) return fail(p, "':' and the type of the property");
  while (!peek(p, '\0'))
    if (!brackets(p)) return fail(p, "a closing bracket");
  return true;
}

static bool all_plain(const fibril__parameter *parameters, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) switch (parameters[i].type) {
      case FIBRIL__TYPE_NUMBER:
      case FIBRIL__TYPE_INT32:
      case FIBRIL__TYPE_UINT32:
      case FIBRIL__TYPE_INT64:
      case FIBRIL__TYPE_BOOLEAN: break;
      default: return false;
    }
  return true;
}

static bool parse(parser *p, fibril__form form) {
  fibril__signature *out = p->out;
  out->text = p->text;
  if (form == FIBRIL__FORM_CONSTRUCTOR) return parameters(p) && end(p);
  if (!name(p, &out->text, &out->name_length)) return false;
  switch (form) {
    case FIBRIL__FORM_CLASS: return end(p);
    case FIBRIL__FORM_GETTER: return property_type(p);
    default: return parameters(p) && promise(p);
  }
}

int fibril__signature_parse(const char *text, fibril__form form, fibril__signature *signature,
                            const char **expected, size_t *position) {
  parser p = {.text = text, .at = text, .out = signature};
  memset(signature, 0, sizeof *signature);
  if (parse(&p, form)) {
    signature->plain = all_plain(signature->parameters, signature->count) &&
                       all_plain(signature->properties, signature->property_count);
    return 0;
  }
  *expected = p.expected;
  *position = (size_t)(p.at - text);
  return UV_EINVAL;
}
