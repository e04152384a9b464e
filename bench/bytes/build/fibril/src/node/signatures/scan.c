/* The words of a signature: names, literals, and TypeScript that is only passed over. */
#include "scan.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BRACKETS_MAX 64

bool fibril__scan_fail(fibril__scan *scan, const char *expected) {
  if (scan->expected == NULL) scan->expected = expected;
  return false;
}

bool fibril__scan_no_memory(fibril__scan *scan) {
  scan->err = UV_ENOMEM;
  return fibril__scan_fail(scan, "memory");
}

static void skip_space(fibril__scan *scan) {
  while (isspace((unsigned char)*scan->at)) scan->at++;
}

bool fibril__scan_peek(fibril__scan *scan, char c) {
  skip_space(scan);
  return *scan->at == c;
}

bool fibril__scan_skip(fibril__scan *scan, char c) {
  if (!fibril__scan_peek(scan, c)) return false;
  scan->at++;
  return true;
}

static bool is_name(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '$';
}

bool fibril__scan_name(fibril__scan *scan, const char *expected, const char **start,
                       size_t *length) {
  skip_space(scan);
  const char *end = scan->at;
  while (is_name(*end)) end++;
  if (end == scan->at || isdigit((unsigned char)*scan->at))
    return fibril__scan_fail(scan, expected);
  *start = scan->at;
  *length = (size_t)(end - scan->at);
  scan->at = end;
  return true;
}

bool fibril__scan_member_name(fibril__scan *scan, const char **start, size_t *length) {
  static const char before[] = "[Symbol.";
  skip_space(scan);
  const char *symbol = scan->at;
  if (strncmp(symbol, before, sizeof before - 1) != 0)
    return fibril__scan_name(scan, "a name", start, length);
  scan->at += sizeof before - 1;
  if (!fibril__scan_name(scan, "a symbol's name", start, length)) return false;
  if (*scan->at != ']') return fibril__scan_fail(scan, "']'");
  scan->at++;
  *start = symbol;
  *length = (size_t)(scan->at - symbol);
  return true;
}

void fibril__scan_dotted(fibril__scan *scan, const char *start, size_t *length) {
  while (*scan->at == '.' && is_name(scan->at[1]))
    for (scan->at++; is_name(*scan->at);) scan->at++;
  *length = (size_t)(scan->at - start);
}

bool fibril__scan_is(const char *start, size_t length, const char *word) {
  return strlen(word) == length && memcmp(start, word, length) == 0;
}

bool fibril__scan_has_word(const char *text, const char *name, size_t length) {
  for (const char *at = text; *at != '\0';) {
    const char *end = at;
    while (is_name(*end)) end++;
    if ((size_t)(end - at) == length && memcmp(at, name, length) == 0) return true;
    at = *end == '\0' || end > at ? end : at + 1;
  }
  return false;
}

bool fibril__scan_word(fibril__scan *scan, const char *word) {
  skip_space(scan);
  size_t length = strlen(word);
  if (strncmp(scan->at, word, length) != 0 || is_name(scan->at[length])) return false;
  scan->at += length;
  return true;
}

bool fibril__scan_comment(fibril__scan *scan) {
  skip_space(scan);
  if (strncmp(scan->at, "/**", 3) != 0) return true;
  const char *end = strstr(scan->at + 3, "*/");
  if (end == NULL) {
    scan->at += strlen(scan->at);
    return fibril__scan_fail(scan, "'*/'");
  }
  scan->at = end + 2;
  return true;
}

/* ---- Literals ---- */

/* Up to and with the closing quote; the characters go to `out`, which may be NULL. */
static bool scan_string(fibril__scan *scan, char *out, size_t *length) {
  static const char escapes[] = "n\nt\tr\r\\\\'\'\"\"";
  char quote = *scan->at++;
  *length = 0;
  while (*scan->at != quote) {
    char c = *scan->at;
    if (c == '\0' || c == '\n') return fibril__scan_fail(scan, quote == '"' ? "'\"'" : "\"'\"");
    if (c == '\\') {
      const char *escape = escapes;
      while (*escape != '\0' && *escape != scan->at[1]) escape += 2;
      if (*escape == '\0') return fibril__scan_fail(scan, "one of \\n \\t \\r \\\\ \\' \\\"");
      c = escape[1];
      scan->at++;
    }
    if (out != NULL) out[*length] = c;
    scan->at++;
    (*length)++;
  }
  scan->at++;
  return true;
}

static bool scan_string_literal(fibril__scan *scan, fibril_value *out) {
  const char *start = scan->at;
  size_t length;
  if (!scan_string(scan, NULL, &length)) return false;
  char *text = malloc(length + 1);
  if (text == NULL) return fibril__scan_no_memory(scan);
  scan->at = start;
  scan_string(scan, text, &length);
  *out = fibril_string(text, length);
  free(text);
  return !fibril_is_error(*out) || fibril__scan_no_memory(scan);
}

static size_t count_digits(const char *text) {
  size_t count = 0;
  while (isdigit((unsigned char)text[count])) count++;
  return count;
}

/* The length of digits [ "." digits ] [ "e" [ "+" | "-" ] digits ]; 0: it is none. */
static size_t decimal_length(const char *text) {
  size_t length = count_digits(text), more;
  if (length == 0) return 0;
  if (text[length] == '.' && (more = count_digits(text + length + 1)) > 0) length += 1 + more;
  if (text[length] == 'e' || text[length] == 'E') {
    size_t sign = text[length + 1] == '+' || text[length + 1] == '-';
    more = count_digits(text + length + 1 + sign);
    if (more > 0) length += 1 + sign + more;
  }
  return length;
}

/* Whatever the process's locale is: another addon may have set one with a comma. "C" is there
 * always, and allocates nothing. */
static double double_of(const char *text) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t before = uselocale(plain);
  double number = strtod(text, NULL);
  uselocale(before);
  freelocale(plain);
  return number;
}

static bool scan_number_literal(fibril__scan *scan, fibril_value *out) {
  bool negative = *scan->at == '-';
  const char *start = scan->at + negative, *end;
  if (strncmp(start, "Infinity", 8) == 0 && !is_name(start[8])) {
    scan->at = start + 8;
    *out = fibril_number(negative ? -INFINITY : INFINITY);
    return true;
  }
  end = start + decimal_length(start);
  bool bigint = *end == 'n' && end == start + count_digits(start);
  if (end == start || is_name(end[bigint]) || end[bigint] == '.')
    return fibril__scan_fail(scan, "a number");
  scan->at = end + bigint;
  if (!bigint) {
    double number = double_of(start);
    *out = fibril_number(negative ? -number : number);
    return true;
  }
  uint64_t most = (uint64_t)INT64_MAX + negative, integer = 0;
  for (const char *digit = start; digit < end; digit++) {
    uint64_t next = (uint64_t)(*digit - '0');
    if (integer > (most - next) / 10) {
      scan->at = start - negative;
      return fibril__scan_fail(scan, "a bigint of 64 bits");
    }
    integer = integer * 10 + next;
  }
  *out = fibril_bigint(negative ? -(int64_t)(integer - 1) - 1 : (int64_t)integer);
  return true;
}

static bool at_number(const fibril__scan *scan) {
  return *scan->at == '-' || isdigit((unsigned char)*scan->at);
}

bool fibril__scan_at_literal(fibril__scan *scan) {
  skip_space(scan);
  if (*scan->at == '\'' || *scan->at == '"' || at_number(scan)) return true;
  const char *start = scan->at;
  bool truth = fibril__scan_word(scan, "true") || fibril__scan_word(scan, "false");
  scan->at = start;
  return truth;
}

bool fibril__scan_literal(fibril__scan *scan, fibril_value *out) {
  skip_space(scan);
  if (*scan->at == '\'' || *scan->at == '"') return scan_string_literal(scan, out);
  if (at_number(scan) || strncmp(scan->at, "Infinity", 8) == 0)
    return scan_number_literal(scan, out);
  if (fibril__scan_word(scan, "true"))
    *out = fibril_boolean(true);
  else if (fibril__scan_word(scan, "false"))
    *out = fibril_boolean(false);
  else if (fibril__scan_word(scan, "null"))
    *out = fibril_null();
  else
    return fibril__scan_fail(scan, "a string, number, bigint, true, false or null");
  return true;
}

/* ---- TypeScript ---- */

static const char *closing_of(char open) {
  switch (open) {
    case '(': return "')'";
    case '[': return "']'";
    case '{': return "'}'";
    default: return "'>'";
  }
}

/* True where a type ends that no bracket encloses. */
static bool ends_foreign(const char *at) {
  return *at == '\0' || strchr(",;)}]>", *at) != NULL || (*at == '=' && at[1] != '>');
}

bool fibril__scan_foreign(fibril__scan *scan) {
  char open[BRACKETS_MAX];
  size_t depth = 0, ignored;
  bool wanted = true; /* a type has to follow */
  for (;;) {
    skip_space(scan);
    char c = *scan->at;
    if (depth == 0 && ends_foreign(scan->at)) return !wanted || fibril__scan_fail(scan, "a type");
    if (c == '\0') return fibril__scan_fail(scan, closing_of(open[depth - 1]));
    if (c == '\'' || c == '"') {
      if (!scan_string(scan, NULL, &ignored)) return false;
      wanted = false;
      continue;
    }
    bool arrow = c == '=' && scan->at[1] == '>';
    wanted = arrow || c == '|' || c == '&';
    if (arrow) {
      scan->at += 2;
      continue;
    }
    if (strchr("([{<", c) != NULL) {
      if (depth == BRACKETS_MAX) return fibril__scan_fail(scan, "fewer brackets");
      open[depth++] = c;
    } else if (strchr(")]}>", c) != NULL) {
      const char *closing = closing_of(open[--depth]);
      if (c != closing[1]) return fibril__scan_fail(scan, closing);
    } else if (!is_name(c) && strchr("|&.,;:?-", c) == NULL) {
      return fibril__scan_fail(scan, "a type");
    }
    scan->at++;
  }
}
