#include "idna.h"

#include <string.h>

/* RFC 3492's parameters for names. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72 };

#define LAST_CHARACTER 0x10ffff
#define LABEL_LENGTH 63

/* What is written; `full` when it did not fit. */
typedef struct {
  char *text;
  size_t length;
  bool full;
} output;

static void put(output *out, char c) {
  out->full |= out->length == FIBRIL__HOST_LENGTH;
  if (!out->full) out->text[out->length++] = c;
}

/* ---- UTF-8 ---- */

static bool is_continuation(unsigned char byte) {
  return (byte & 0xc0) == 0x80;
}

/* The next character, and *text behind it; beyond LAST_CHARACTER: it is none. */
static uint32_t next_character(const char **text) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)*text;
  uint32_t first = bytes[0];
  unsigned more = first < 0x80 ? 0 : first < 0xc0 ? 4 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if (more > 3 || first >= 0xf8) return UINT32_MAX;
  uint32_t character = more == 0 ? first : first & (0x3fU >> more);
  for (unsigned i = 1; i <= more; i++) {
    if (!is_continuation(bytes[i])) return UINT32_MAX;
    character = character << 6 | (bytes[i] & 0x3fU);
  }
  bool surrogate = character >= 0xd800 && character < 0xe000;
  *text += more + 1;
  return character < least[more] || surrogate ? UINT32_MAX : character;
}

/* ---- Punycode ---- */

static uint32_t adapt(uint32_t delta, uint32_t count, bool first) {
  uint32_t k = 0;
  delta /= first ? DAMP : 2;
  delta += delta / count;
  for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE) delta /= BASE - T_MIN;
  return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void put_number(output *out, uint32_t number, uint32_t bias) {
  static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (uint32_t k = BASE;; k += BASE) {
    uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
    if (number < t) break;
    put(out, digits[t + (number - t) % (BASE - t)]);
    number = (number - t) / (BASE - t);
  }
  put(out, digits[number]);
}

static uint32_t next_larger(const uint32_t *label, size_t length, uint32_t least) {
  uint32_t next = UINT32_MAX;
  for (size_t i = 0; i < length; i++)
    if (label[i] >= least && label[i] < next) next = label[i];
  return next;
}

/* The numbers stay below 256 times LAST_CHARACTER. */
static void put_punycode(output *out, const uint32_t *label, size_t length) {
  uint32_t basic = 0, done, delta = 0, least = 0x80, bias = FIRST_BIAS;
  for (const char *c = "xn--"; *c != '\0'; c++) put(out, *c);
  for (size_t i = 0; i < length; i++) {
    if (label[i] >= 0x80) continue;
    put(out, (char)label[i]);
    basic++;
  }
  if (basic > 0) put(out, '-');
  for (done = basic; done < length; delta++, least++) {
    uint32_t next = next_larger(label, length, least);
    delta += (next - least) * (done + 1);
    least = next;
    for (size_t i = 0; i < length; i++) {
      if (label[i] < least) delta++;
      if (label[i] != least) continue;
      put_number(out, delta, bias);
      bias = adapt(delta, done + 1, done == basic);
      delta = 0;
      done++;
    }
  }
}

/* ---- Labels ---- */

static bool is_dot(uint32_t character) {
  return character == '.' || character == 0x3002 || character == 0xff0e || character == 0xff61;
}

static void put_label(output *out, const uint32_t *label, size_t length) {
  size_t begin = out->length;
  bool ascii = true;
  for (size_t i = 0; i < length; i++) ascii = ascii && label[i] < 0x80;
  for (size_t i = 0; ascii && i < length; i++) put(out, (char)label[i]);
  if (!ascii) put_punycode(out, label, length);
  out->full |= !ascii && out->length - begin > LABEL_LENGTH;
}

int fibril__host_to_ascii(const char *host, char out[FIBRIL__HOST_LENGTH + 1]) {
  output text = {.text = out};
  uint32_t label[FIBRIL__HOST_LENGTH];
  size_t length = 0;
  if (strnlen(host, FIBRIL__HOST_LENGTH + 1) > FIBRIL__HOST_LENGTH) return UV_ENAMETOOLONG;
  while (*host != '\0') {
    uint32_t character = next_character(&host);
    if (character > LAST_CHARACTER) return UV_EINVAL;
    if (!is_dot(character)) {
      label[length++] = character;
      continue;
    }
    put_label(&text, label, length);
    put(&text, '.');
    length = 0;
  }
  put_label(&text, label, length);
  if (text.full) return UV_ENAMETOOLONG;
  out[text.length] = '\0';
  return 0;
}
