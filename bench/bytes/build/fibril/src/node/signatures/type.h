/* The types of a signature's parameters. */
#ifndef FIBRIL_NODE_SIGNATURES_TYPE_H
#define FIBRIL_NODE_SIGNATURES_TYPE_H

#include "scan.h"

/* What a type accepts: a union has several. */
enum {
  FIBRIL__ANY = 1u << 0,
  FIBRIL__UNDEFINED = 1u << 1,
  FIBRIL__NULL = 1u << 2,
  FIBRIL__STRING = 1u << 3,
  FIBRIL__NUMBER = 1u << 4,
  FIBRIL__INT32 = 1u << 5,
  FIBRIL__UINT32 = 1u << 6,
  FIBRIL__INT64 = 1u << 7,
  FIBRIL__BOOLEAN = 1u << 8,
  FIBRIL__BIGINT = 1u << 9,
  FIBRIL__FUNCTION = 1u << 10,
  FIBRIL__ARRAY = 1u << 11,
  FIBRIL__BYTES = 1u << 12,
  FIBRIL__PATH = 1u << 13,   /* string, Buffer or URL, without NUL */
  FIBRIL__RECORD = 1u << 14, /* an object with named properties */
  FIBRIL__OBJECT = 1u << 15, /* any object, as a reference */
  FIBRIL__SIGNAL = 1u << 16, /* AbortSignal: wired by the runtime, never decoded */
  FIBRIL__LITERAL = 1u << 17,
  FIBRIL__INSTANCE = 1u << 18, /* of a class of the addon's own */
  FIBRIL__NUMBERS = FIBRIL__NUMBER | FIBRIL__INT32 | FIBRIL__UINT32 | FIBRIL__INT64,
  FIBRIL__ABSENT = FIBRIL__UNDEFINED | FIBRIL__NULL
};

/* The classes of FIBRIL__BYTES: a bit for each napi_typedarray_type, and these. */
enum {
  FIBRIL__VIEW_BUFFER = 1u << 13, /* of uint8 elements, whatever its prototype */
  FIBRIL__VIEW_DATAVIEW = 1u << 14,
  FIBRIL__VIEW_ARRAYBUFFER = 1u << 15,
  FIBRIL__VIEW_ANY = 0xffff
};

/* A type of the addon's own, which signatures may name from its declaration on. */
typedef struct fibril__declared {
  const struct fibril__declared *next; /* older */
  const char *name;                    /* with its namespaces before it, "limits.Mode" */
  const struct fibril__type *literals; /* of an enum; NULL: a class */
} fibril__declared;

typedef struct fibril__type {
  uint32_t accepts;
  uint32_t views;
  uint32_t property_count, literal_count, class_count;
  struct fibril__type *element; /* of an array */
  struct fibril__parameter *properties;
  fibril_value *literals; /* strings, numbers and booleans */
  const fibril__declared **classes;
} fibril__type;

typedef struct fibril__parameter {
  const char *name; /* into the signature, not terminated */
  size_t name_length;
  fibril__type type;
  bool optional;
  bool has_default;
  fibril_value initial; /* owned: the default, else undefined */
  uint32_t slot; /* of an options object: where the values of its properties begin; 0: it is none */
} fibril__parameter;

bool fibril__type_parse(fibril__scan *scan, fibril__type *type);
void fibril__type_free(fibril__type *type);
/* True when the value is one of the type's literals. */
bool fibril__type_has_literal(const fibril__type *type, fibril_value value);
/* True when it is a number of the (first) type of numbers in `accepts`. */
bool fibril__number_fits(uint32_t accepts, double number);
/* name [ "?" ] ":" type [ "=" default ], with what of it belongs together. */
bool fibril__parameter_parse(fibril__scan *scan, fibril__parameter *parameter);
void fibril__parameters_free(fibril__parameter *parameters, uint32_t count);

#endif /* FIBRIL_NODE_SIGNATURES_TYPE_H */
