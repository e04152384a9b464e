/* Signatures: the grammar stands in docs/c-api.md. */
#include "signature.h"

#include "declared.h"

#include <string.h>

static bool is_options(const fibril__parameter *parameter) {
  uint32_t accepts = parameter->type.accepts;
  return accepts & FIBRIL__RECORD && (accepts & ~(uint32_t)FIBRIL__ABSENT) == FIBRIL__RECORD;
}

static uint32_t count_signals(const fibril__parameter *parameter) {
  uint32_t count = (parameter->type.accepts & FIBRIL__SIGNAL) != 0;
  for (uint32_t i = 0; i < parameter->type.property_count; i++)
    count += (parameter->type.properties[i].type.accepts & FIBRIL__SIGNAL) != 0;
  return count;
}

/* What of a parameter depends on the others. */
static bool check_parameter(fibril__scan *scan, const fibril__signature *signature,
                            const fibril__parameter *parameter) {
  uint32_t signals = 0, options = 0;
  for (const fibril__parameter *each = signature->parameters; each <= parameter; each++) {
    signals += count_signals(each);
    if (is_options(each)) options += each->type.property_count;
    if (each < parameter && each->name_length == parameter->name_length &&
        memcmp(each->name, parameter->name, each->name_length) == 0)
      return fibril__scan_fail(scan, "another name");
  }
  if (options > FIBRIL__OPTIONS_MAX) return fibril__scan_fail(scan, "at most 64 options");
  if (signals > 1) return fibril__scan_fail(scan, "one AbortSignal");
  if (count_signals(parameter) > 0 && !is_options(parameter) &&
      !(parameter->type.accepts & FIBRIL__SIGNAL))
    return fibril__scan_fail(scan, "AbortSignal only as a parameter or an option");
  if (signature->rest) {
    if (parameter->type.accepts != FIBRIL__ARRAY || parameter->optional)
      return fibril__scan_fail(scan, "an array of the arguments that are left");
  } else if (!parameter->optional && parameter > signature->parameters && parameter[-1].optional) {
    return fibril__scan_fail(scan, "no required parameter after an optional one");
  }
  return true;
}

static bool parse_parameter(fibril__scan *scan, fibril__signature *out, fibril__form form) {
  fibril__scan_peek(scan, '\0');
  const char *start = scan->at;
  if (out->rest) return fibril__scan_fail(scan, "no parameter after the rest");
  if (out->count == FIBRIL__PARAMETERS_MAX) return fibril__scan_fail(scan, "at most 8 parameters");
  if (strncmp(start, "...", 3) == 0) {
    if (form == FIBRIL__FORM_CONSTRUCTOR)
      return fibril__scan_fail(scan, "no rest in a constructor");
    scan->at += 3;
    out->rest = true;
  }
  if (!fibril__parameter_parse(scan, &out->parameters[out->count])) return false;
  const char *end = scan->at;
  scan->at = start;
  out->count++;
  if (!check_parameter(scan, out, &out->parameters[out->count - 1])) return false;
  scan->at = end;
  return true;
}

static bool parse_parameters(fibril__scan *scan, fibril__signature *out, fibril__form form) {
  if (!fibril__scan_skip(scan, '(')) return fibril__scan_fail(scan, "'('");
  while (!fibril__scan_skip(scan, ')')) {
    if (!parse_parameter(scan, out, form)) return false;
    if (!fibril__scan_skip(scan, ',') && !fibril__scan_peek(scan, ')'))
      return fibril__scan_fail(scan, "',' or ')'");
  }
  return true;
}

static bool at_result(fibril__scan *scan) {
  return fibril__scan_skip(scan, ':') || fibril__scan_fail(scan, "':' and the type of the result");
}

/* "<" ... ">", which is TypeScript's. */
static bool parse_generic(fibril__scan *scan) {
  if (!fibril__scan_peek(scan, '<')) return fibril__scan_fail(scan, "'<'");
  scan->at++;
  do
    if (!fibril__scan_foreign(scan)) return false;
  while (fibril__scan_skip(scan, ','));
  return fibril__scan_skip(scan, '>') || fibril__scan_fail(scan, "'>'");
}

static bool parse_result(fibril__scan *scan, const char *generic, const char *expected) {
  if (!at_result(scan)) return false;
  if (!fibril__scan_word(scan, generic)) return fibril__scan_fail(scan, expected);
  return parse_generic(scan);
}

/* Whether one of a union's members from `at` on is a promise: then the function would not be a
 * synchronous one. In brackets other than () and behind "=>" it is a part of something else. */
static const char *find_promise(const char *at) {
  static const char word[] = "Promise";
  unsigned depth = 0;
  for (; *at != '\0' && strncmp(at, "=>", 2) != 0; at++) {
    size_t quoted = *at == '\'' || *at == '"' ? strcspn(at + 1, *at == '"' ? "\"" : "'") : 0;
    if (strchr("[{<", *at) != NULL) depth++;
    if (strchr("]}>", *at) != NULL) depth--;
    if (depth == 0 && strncmp(at, word, sizeof word - 1) == 0 &&
        at[sizeof word - 1 + strspn(at + sizeof word - 1, " ")] == '<')
      return at;
    at += quoted;
  }
  return NULL;
}

/* Promise<...>, or what a synchronous function returns. */
static bool parse_function(fibril__scan *scan, fibril__signature *out) {
  const fibril__parameter *key;
  if (!parse_parameters(scan, out, FIBRIL__FORM_FUNCTION) || !at_result(scan)) return false;
  if (fibril__scan_word(scan, "Promise")) return parse_generic(scan);
  const char *start = scan->at;
  if (fibril__scan_word(scan, "Generator") || fibril__scan_word(scan, "AsyncGenerator")) {
    scan->at = start;
    return fibril__scan_fail(scan, "Promise<...> or a type that is no generator's");
  }
  if (fibril__signature_signal(out, &key) >= 0)
    return fibril__scan_fail(scan, "Promise<...>, because of the AbortSignal");
  out->synchronous = true;
  const char *promise = find_promise(start);
  if (promise != NULL) {
    scan->at = promise;
    return fibril__scan_fail(scan, "Promise<...> alone, or none");
  }
  return fibril__scan_foreign(scan);
}

/* A setter's parameter has its name. */
static bool parse_setter(fibril__scan *scan, fibril__signature *out) {
  fibril__parameter *value = &out->parameters[0];
  if (!fibril__scan_skip(scan, ':')) return fibril__scan_fail(scan, "':' and a type");
  *value = (fibril__parameter){
      .name = out->text, .name_length = out->name_length, .initial = fibril_undefined()};
  if (!fibril__type_parse(scan, &value->type)) return false;
  out->count = 1;
  return count_signals(value) == 0 || fibril__scan_fail(scan, "no AbortSignal");
}

static bool parse_enum(fibril__scan *scan, fibril__signature *out) {
  fibril__parameter *members = &out->parameters[0];
  *members = (fibril__parameter){
      .name = out->text, .name_length = out->name_length, .initial = fibril_undefined()};
  out->count = 1;
  return fibril__enum_parse(scan, &members->type);
}

static bool parse_alias(fibril__scan *scan, bool is_member, fibril__signature *out) {
  if (!fibril__scan_skip(scan, '=')) return fibril__scan_fail(scan, "'=' and another name");
  return is_member ? fibril__scan_member_name(scan, &out->target, &out->target_length)
                   : fibril__scan_name(scan, "a name", &out->target, &out->target_length);
}

/* What it has besides is TypeScript's. */
static bool parse_error(fibril__scan *scan, fibril__signature *out) {
  if (!fibril__scan_word(scan, "extends")) return fibril__scan_fail(scan, "'extends'");
  if (!fibril__scan_name(scan, "the name of a class of errors", &out->target, &out->target_length))
    return false;
  return !fibril__scan_peek(scan, '{') || fibril__scan_foreign(scan);
}

static bool parse_name(fibril__scan *scan, bool is_member, fibril__signature *out) {
  return is_member ? fibril__scan_member_name(scan, &out->text, &out->name_length)
                   : fibril__scan_name(scan, "a name", &out->text, &out->name_length);
}

static bool parse_form(fibril__scan *scan, fibril__form form, bool is_member,
                       fibril__signature *out) {
  if (!fibril__scan_comment(scan)) return false;
  fibril__scan_peek(scan, '\0');
  out->text = scan->at;
  if (form == FIBRIL__FORM_CONSTRUCTOR) return parse_parameters(scan, out, form);
  if (!parse_name(scan, is_member, out)) return false;
  switch (form) {
    case FIBRIL__FORM_CLASS:
    case FIBRIL__FORM_NAMESPACE:
    case FIBRIL__FORM_DEFAULT: return true;
    case FIBRIL__FORM_ALIAS: return parse_alias(scan, is_member, out);
    case FIBRIL__FORM_ENUM: return parse_enum(scan, out);
    case FIBRIL__FORM_SETTER: return parse_setter(scan, out);
    case FIBRIL__FORM_ERROR: return parse_error(scan, out);
    case FIBRIL__FORM_CONSTANT:
    case FIBRIL__FORM_GETTER:
      if (!fibril__scan_skip(scan, ':') || fibril__scan_peek(scan, '\0'))
        return fibril__scan_fail(scan, "':' and the type of the property");
      return fibril__scan_foreign(scan);
    case FIBRIL__FORM_GENERATOR:
      return parse_parameters(scan, out, form) && parse_result(scan, "Generator", "Generator<...>");
    case FIBRIL__FORM_ASYNC_GENERATOR:
      return parse_parameters(scan, out, form) &&
             parse_result(scan, "AsyncGenerator", "AsyncGenerator<...>");
    default: return parse_function(scan, out);
  }
}

/* Nothing of it owns memory. */
static bool is_plain_parameter(const fibril__parameter *parameter) {
  return (parameter->type.accepts &
          ~(uint32_t)(FIBRIL__NUMBERS | FIBRIL__BOOLEAN | FIBRIL__BIGINT | FIBRIL__ABSENT)) == 0;
}

static void lay_out_values(fibril__signature *out) {
  out->plain = out->numbers = true;
  for (uint32_t i = 0; i < out->count; i++) {
    fibril__parameter *parameter = &out->parameters[i];
    if (parameter->type.accepts != FIBRIL__NUMBER) out->numbers = false;
    if (!is_plain_parameter(parameter)) out->plain = false;
    if (!is_options(parameter)) continue;
    parameter->slot = out->count + out->property_count;
    out->property_count += parameter->type.property_count;
  }
}

int fibril__signature_parse(const char *text, fibril__form form, const fibril__surroundings *where,
                            fibril__signature *signature, const char **expected, size_t *position) {
  static const fibril__surroundings nowhere = {0};
  if (where == NULL) where = &nowhere;
  fibril__scan scan = {
      .text = text, .at = text, .declared = where->declared, .space = where->space};
  memset(signature, 0, sizeof *signature);
  signature->source = text;
  if (parse_form(&scan, form, where->is_member, signature) &&
      (fibril__scan_peek(&scan, '\0') || fibril__scan_fail(&scan, "the end"))) {
    lay_out_values(signature);
    return 0;
  }
  fibril__signature_free(signature);
  if (scan.err != 0) return scan.err;
  *expected = scan.expected;
  *position = (size_t)(scan.at - text);
  return UV_EINVAL;
}

void fibril__signature_free(fibril__signature *signature) {
  fibril__parameters_free(signature->parameters, signature->count);
  signature->count = 0;
}

int fibril__signature_signal(const fibril__signature *signature, const fibril__parameter **key) {
  *key = NULL;
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__type *type = &signature->parameters[i].type;
    if (type->accepts & FIBRIL__SIGNAL) return (int)i;
    for (uint32_t j = 0; j < type->property_count; j++) {
      if (!(type->properties[j].type.accepts & FIBRIL__SIGNAL)) continue;
      *key = &type->properties[j];
      return (int)i;
    }
  }
  return -1;
}
