/* PostgreSQL's texts as values, by the OIDs of catalog/pg_type.dat, which never change. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 6 }; /* the server's own limit for the dimensions of an array */

enum {
  BOOL = 16,
  BYTEA = 17,
  INT8 = 20,
  INT2 = 21,
  INT4 = 23,
  OID = 26,
  FLOAT4 = 700,
  FLOAT8 = 701
};

/* The types of arrays and of what is in them; what is not here stays text. */
static const struct {
  Oid array, element;
} arrays[] = {
    {1000, BOOL}, {1001, BYTEA}, {1005, INT2}, {1007, INT4},   {1009, 25},
    {1014, 1042}, {1015, 1043},  {1016, INT8}, {1021, FLOAT4}, {1022, FLOAT8},
    {1028, OID},  {1003, 19},    {199, 114},   {3807, 3802},   {1231, 1700},
    {2951, 2950}, {1115, 1114},  {1182, 1082}, {1183, 1083},   {1185, 1184},
};

static fibril_value bytes(const char *text) {
  size_t length;
  unsigned char *data = PQunescapeBytea((const unsigned char *)text, &length);
  return data == NULL ? fibril_error(UV_ENOMEM, NULL) : fibril_buffer_take(data, length, PQfreemem);
}

/* ---- Arrays: {1,NULL,"a \"b\"",{2}}, perhaps with [0:1]= in front ---- */

typedef struct {
  const char *at;
  char *item; /* room for any item's text */
  Oid type;
} scan;

static fibril_value quoted(scan *self) {
  char *end = self->item;
  for (self->at++; *self->at != '"' && *self->at != '\0'; self->at++) {
    if (*self->at == '\\' && self->at[1] != '\0') self->at++;
    *end++ = *self->at;
  }
  if (*self->at == '"') self->at++;
  *end = '\0';
  return type_value(self->type, self->item, (size_t)(end - self->item));
}

static fibril_value bare(scan *self) {
  size_t length = strcspn(self->at, ",}");
  memcpy(self->item, self->at, length);
  self->item[length] = '\0';
  self->at += length;
  if (strcmp(self->item, "NULL") == 0) return fibril_null();
  return type_value(self->type, self->item, length);
}

static fibril_value dimension(scan *self, int depth) {
  fibril_value array = fibril_array(0);
  self->at++;
  while (*self->at != '}' && *self->at != '\0') {
    fibril_value item = *self->at == '{' && depth < DEPTH_MAX ? dimension(self, depth + 1)
                        : *self->at == '"'                    ? quoted(self)
                                                              : bare(self);
    if (fibril_is_error(item) || fibril_array_push(array, item) != 0)
      return fibril_error(UV_ENOMEM, NULL);
    if (*self->at == ',') self->at++;
  }
  if (*self->at == '}') self->at++;
  return array;
}

static fibril_value array_value(Oid element, const char *text, size_t length) {
  const char *start = strchr(text, '{');
  scan self = {.at = start, .item = malloc(length + 1), .type = element};
  if (self.item == NULL) return fibril_error(UV_ENOMEM, NULL);
  fibril_value array = start == NULL ? fibril_string(text, length) : dimension(&self, 1);
  free(self.item);
  return array;
}

fibril_value type_value(Oid type, const char *text, size_t length) {
  switch (type) {
    case BOOL: return fibril_boolean(text[0] == 't');
    case INT2:
    case INT4:
    case OID:
    case FLOAT4:
    case FLOAT8: return fibril_number(strtod(text, NULL));
    case INT8: return fibril_bigint(strtoll(text, NULL, 10));
    case BYTEA: return bytes(text);
    default: break;
  }
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
    if (arrays[i].array == type) return array_value(arrays[i].element, text, length);
  return fibril_string(text, length);
}
