/* TypeScript signatures: "name(path: string, flag?: boolean = true): Promise<number>". */
#ifndef FIBRIL_NODE_SIGNATURES_SIGNATURE_H
#define FIBRIL_NODE_SIGNATURES_SIGNATURE_H

#include "type.h"

#define FIBRIL__PARAMETERS_MAX 8
/* Of all options objects: their values are on the coroutine's stack. */
#define FIBRIL__OPTIONS_MAX 64

typedef struct fibril__signature {
  const char *source; /* all of it */
  const char *text;   /* from its name on */
  size_t name_length;
  const char *target; /* of an alias: the name behind it; of an error's class: what it extends */
  size_t target_length;
  uint32_t count;
  uint32_t property_count; /* of all options objects */
  bool numbers;            /* there are only numbers */
  bool plain;              /* no argument owns memory */
  bool synchronous;        /* a function whose result is no promise */
  bool rest;               /* the last parameter takes the arguments that are left, as an array */
  fibril__parameter parameters[FIBRIL__PARAMETERS_MAX];
} fibril__signature;

typedef enum {
  FIBRIL__FORM_FUNCTION,        /* name(a: string): Promise<number>, or number */
  FIBRIL__FORM_CLASS,           /* name */
  FIBRIL__FORM_CONSTRUCTOR,     /* (a: string) */
  FIBRIL__FORM_GETTER,          /* name: number */
  FIBRIL__FORM_GENERATOR,       /* name(a: string): Generator<number> */
  FIBRIL__FORM_ASYNC_GENERATOR, /* name(a: string): AsyncGenerator<number> */
  FIBRIL__FORM_CONSTANT,        /* name: number */
  FIBRIL__FORM_STATIC,          /* name(a: string): number, of a class */
  FIBRIL__FORM_SETTER,          /* name: number, as a parameter */
  FIBRIL__FORM_ENUM,            /* name { A, B = 2 }: the parameter's type has them */
  FIBRIL__FORM_ALIAS,           /* name = other */
  FIBRIL__FORM_NAMESPACE,       /* name */
  FIBRIL__FORM_DEFAULT,         /* name */
  FIBRIL__FORM_ERROR,           /* name extends other { a: number } */
} fibril__form;

/* Where a signature stands. */
typedef struct fibril__surroundings {
  const fibril__declared *declared; /* the newest of the addon's own types */
  const char *space;                /* "a.b": its namespace; NULL: none */
  bool is_member;                   /* of a class: its name may be a symbol's */
} fibril__surroundings;

/* 0 and a signature to be freed; or UV_EINVAL with what was expected and where, or UV_ENOMEM, and
 * nothing to be freed. `where` may be NULL. */
int fibril__signature_parse(const char *text, fibril__form form, const fibril__surroundings *where,
                            fibril__signature *signature, const char **expected, size_t *position);
void fibril__signature_free(fibril__signature *signature);
/* The index of the parameter that has an AbortSignal: itself, or as the property *key. -1: none. */
int fibril__signature_signal(const fibril__signature *signature, const fibril__parameter **key);

#endif /* FIBRIL_NODE_SIGNATURES_SIGNATURE_H */
