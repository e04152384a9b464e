/* Types of the addon's own: how they are found by name, and enums. */
#include "declared.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Names ---- */

/* Whether `name` in the namespace `space`, of which `length` counts, is this one. */
static bool is_declared(const fibril__declared *declared, const char *space, size_t length,
                        const char *name, size_t name_length) {
  const char *full = declared->name;
  if (length > 0) {
    if (strncmp(full, space, length) != 0 || full[length] != '.') return false;
    full += length + 1;
  }
  return fibril__scan_is(name, name_length, full);
}

const fibril__declared *fibril__declared_find(const fibril__scan *scan, const char *name,
                                              size_t name_length) {
  const char *space = scan->space == NULL ? "" : scan->space;
  for (size_t length = strlen(space);;) {
    for (const fibril__declared *each = scan->declared; each != NULL; each = each->next)
      if (is_declared(each, space, length, name, name_length)) return each;
    if (length == 0) return NULL;
    while (length > 0 && space[--length] != '.') continue;
  }
}

/* ---- Lists ---- */

bool fibril__type_append(void **list, uint32_t *length, const void *items, uint32_t count,
                         size_t size) {
  if (count == 0) return true;
  char *longer = realloc(*list, ((size_t)*length + count) * size);
  if (longer == NULL) return false;
  memcpy(longer + *length * size, items, count * size);
  *list = longer;
  *length += count;
  return true;
}

bool fibril__type_is_named(const fibril__parameter *one, const fibril__parameter *other) {
  return one->name_length == other->name_length &&
         memcmp(one->name, other->name, other->name_length) == 0;
}

/* ---- Enums ---- */

static bool has_member(const fibril__type *type, const fibril__parameter *member) {
  for (uint32_t i = 0; i < type->property_count; i++)
    if (fibril__type_is_named(&type->properties[i], member)) return true;
  return false;
}

/* [ "=" literal ], else one more than the number before. */
static bool parse_enum_value(fibril__scan *scan, const fibril__type *type, fibril_value *out) {
  bool is_first = type->property_count == 0;
  fibril_value before = is_first ? fibril_number(-1) : type->literals[type->literal_count - 1];
  if (!fibril__scan_skip(scan, '=')) {
    *out = fibril_number(fibril_value_number(before) + 1);
    return fibril_value_kind(before) == FIBRIL_NUMBER || fibril__scan_fail(scan, "'='");
  }
  fibril__scan_peek(scan, '\0');
  const char *start = scan->at;
  if (fibril__scan_at_literal(scan)) {
    if (!fibril__scan_literal(scan, out)) return false;
    fibril_kind kind = fibril_value_kind(*out);
    if (kind == FIBRIL_STRING || (kind == FIBRIL_NUMBER && isfinite(out->as.number))) return true;
    fibril_value_free(*out);
  }
  scan->at = start;
  return fibril__scan_fail(scan, "a string or a finite number");
}

static bool parse_enum_member(fibril__scan *scan, fibril__type *type) {
  fibril__parameter member = {.initial = fibril_undefined()};
  fibril__scan_peek(scan, '\0');
  const char *start = scan->at;
  if (!fibril__scan_comment(scan) ||
      !fibril__scan_name(scan, "a name", &member.name, &member.name_length))
    return false;
  if (has_member(type, &member)) {
    scan->at = start;
    return fibril__scan_fail(scan, "another name");
  }
  if (!parse_enum_value(scan, type, &member.initial)) return false;
  fibril_value literal = fibril_value_dup(member.initial);
  if (fibril__type_append((void **)&type->properties, &type->property_count, &member, 1,
                          sizeof member)) {
    if (fibril__type_append((void **)&type->literals, &type->literal_count, &literal, 1,
                            sizeof literal))
      return true;
  } else {
    fibril_value_free(member.initial);
  }
  fibril_value_free(literal);
  return fibril__scan_no_memory(scan);
}

bool fibril__enum_parse(fibril__scan *scan, fibril__type *type) {
  *type = (fibril__type){.accepts = FIBRIL__LITERAL};
  bool parsed = fibril__scan_skip(scan, '{') || fibril__scan_fail(scan, "'{'");
  do parsed = parsed && parse_enum_member(scan, type);
  while (parsed && fibril__scan_skip(scan, ',') && !fibril__scan_peek(scan, '}'));
  return parsed && (fibril__scan_skip(scan, '}') || fibril__scan_fail(scan, "',' or '}'"));
}
