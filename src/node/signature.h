/* TypeScript signatures: "name(path: string, options?: {flag?: boolean = true}): Promise<number>".
 */
#ifndef FIBRIL_NODE_SIGNATURE_H
#define FIBRIL_NODE_SIGNATURE_H

#include "fibril.h"

#define FIBRIL__PARAMETERS_MAX 8
/* Of all options objects: their values are on the coroutine's stack. */
#define FIBRIL__OPTIONS_MAX 64

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

typedef struct fibril__type {
  uint32_t accepts;
  uint32_t views;
  uint32_t property_count, literal_count;
  struct fibril__type *element; /* of an array */
  struct fibril__parameter *properties;
  fibril_value *literals; /* strings, numbers and booleans */
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

typedef struct fibril__signature {
  const char *source; /* all of it */
  const char *text;   /* from its name on */
  size_t name_length;
  uint32_t count;
  uint32_t property_count; /* of all options objects */
  bool numbers;            /* there are only numbers */
  bool plain;              /* no argument owns memory */
  bool rest;               /* the last parameter takes the arguments that are left, as an array */
  fibril__parameter parameters[FIBRIL__PARAMETERS_MAX];
} fibril__signature;

typedef enum {
  FIBRIL__FORM_FUNCTION,        /* name(a: string): Promise<number> */
  FIBRIL__FORM_CLASS,           /* name */
  FIBRIL__FORM_CONSTRUCTOR,     /* (a: string) */
  FIBRIL__FORM_GETTER,          /* name: number */
  FIBRIL__FORM_GENERATOR,       /* name(a: string): Generator<number> */
  FIBRIL__FORM_ASYNC_GENERATOR, /* name(a: string): AsyncGenerator<number> */
} fibril__form;

/* 0 and a signature to be freed; or UV_EINVAL with what was expected and where, or UV_ENOMEM, and
 * nothing to be freed. */
int fibril__signature_parse(const char *text, fibril__form form, fibril__signature *signature,
                            const char **expected, size_t *position);
void fibril__signature_free(fibril__signature *signature);
/* The index of the parameter that has an AbortSignal: itself, or as the property *key. -1: none. */
int fibril__signature_signal(const fibril__signature *signature, const fibril__parameter **key);

/* signature_scan.c: the reader of a signature's text. What is not as expected is noted once, with
 * the reader at its place. */
typedef struct {
  const char *text, *at, *expected;
  int err;
  unsigned depth; /* of types in types */
} fibril__scan;

bool fibril__scan_fail(fibril__scan *scan, const char *expected);
bool fibril__scan_peek(fibril__scan *scan, char c);
bool fibril__scan_skip(fibril__scan *scan, char c);
bool fibril__scan_name(fibril__scan *scan, const char *expected, const char **start,
                       size_t *length);
/* The keyword or nothing. */
bool fibril__scan_word(fibril__scan *scan, const char *word);
/* A string, number, bigint, true, false or null; owned. */
bool fibril__scan_literal(fibril__scan *scan, fibril_value *out);
bool fibril__scan_at_literal(fibril__scan *scan);
/* A leading doc comment, if there is one. */
bool fibril__scan_comment(fibril__scan *scan);
/* A type that is TypeScript's business: its brackets and strings are whole. It ends before what
 * can't belong to it. */
bool fibril__scan_foreign(fibril__scan *scan);
bool fibril__scan_is(const char *start, size_t length, const char *word);

/* signature_type.c */
bool fibril__type_parse(fibril__scan *scan, fibril__type *type);
void fibril__type_free(fibril__type *type);
/* True when the value is one of the type's literals. */
bool fibril__type_has_literal(const fibril__type *type, fibril_value value);
/* True when it is a number of the (first) type of numbers in `accepts`. */
bool fibril__number_fits(uint32_t accepts, double number);
/* name [ "?" ] ":" type [ "=" default ], with what of it belongs together. */
bool fibril__parameter_parse(fibril__scan *scan, fibril__parameter *parameter);
void fibril__parameters_free(fibril__parameter *parameters, uint32_t count);

#endif /* FIBRIL_NODE_SIGNATURE_H */
