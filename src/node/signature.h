/* TypeScript signatures: "name(path: string, options?: {flag?: boolean = true}): Promise<number>".
 */
#ifndef FIBRIL_NODE_SIGNATURE_H
#define FIBRIL_NODE_SIGNATURE_H

#include "fibril.h"

#define FIBRIL__PARAMETERS_MAX 8
#define FIBRIL__PROPERTIES_MAX 16

typedef enum {
  FIBRIL__TYPE_ANY,
  FIBRIL__TYPE_STRING,
  FIBRIL__TYPE_NUMBER,
  FIBRIL__TYPE_INT32,
  FIBRIL__TYPE_UINT32,
  FIBRIL__TYPE_INT64,
  FIBRIL__TYPE_BOOLEAN,
  FIBRIL__TYPE_BYTES, /* Buffer, TypedArray, DataView, ArrayBuffer */
  FIBRIL__TYPE_PATH,  /* string, Buffer or URL, without NUL */
  FIBRIL__TYPE_FUNCTION,
  FIBRIL__TYPE_SIGNAL, /* AbortSignal: wired by the runtime, never decoded */
  FIBRIL__TYPE_OBJECT
} fibril__type;

typedef struct fibril__parameter {
  const char *name; /* into the signature, not terminated */
  size_t name_length;
  fibril__type type;
  bool optional;
  bool has_default;
  fibril_value initial; /* a scalar; a string default is not supported */
  uint32_t first;       /* of an object: its properties in `properties` */
  uint32_t count;
} fibril__parameter;

typedef struct fibril__signature {
  const char *text;
  size_t name_length;
  uint32_t count;
  uint32_t property_count;
  bool plain; /* no argument owns memory */
  fibril__parameter parameters[FIBRIL__PARAMETERS_MAX];
  fibril__parameter properties[FIBRIL__PROPERTIES_MAX];
} fibril__signature;

typedef enum {
  FIBRIL__FORM_FUNCTION,    /* name(a: string): Promise<number> */
  FIBRIL__FORM_CLASS,       /* name */
  FIBRIL__FORM_CONSTRUCTOR, /* (a: string) */
  FIBRIL__FORM_GETTER       /* name: number */
} fibril__form;

/* 0, or UV_EINVAL with what was expected and where. */
int fibril__signature_parse(const char *text, fibril__form form, fibril__signature *signature,
                            const char **expected, size_t *position);

#endif /* FIBRIL_NODE_SIGNATURE_H */
