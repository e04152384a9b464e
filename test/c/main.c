/* The C tests without Node. Without arguments: lists all tests, a line each: name, kind, ending,
 * pattern, file, escaped as in JSON and separated by tabs. With names: runs these, prints "ok NAME"
 * or "not ok NAME" and what failed, indented. Exits with 1 when one failed. */
#include "test.h"

#include <stdio.h>
#include <string.h>

static void print_field(const char *text, char end) {
  for (; text != NULL && *text != '\0'; text++) {
    if (*text == '\n')
      fputs("\\n", stdout);
    else if (*text == '\\' || *text == '"')
      printf("\\%c", *text);
    else
      putchar(*text);
  }
  putchar(end);
}

static void list(void) {
  for (test_case *test = test_first(); test != NULL; test = test->next) {
    print_field(test->name, '\t');
    print_field(test_kind_name(test), '\t');
    print_field(test->ending, '\t');
    print_field(test->pattern, '\t');
    print_field(test->file, '\n');
  }
}

static int run(const char *name) {
  test_case *test = test_find(name);
  const char *failures = test != NULL ? test_run(test) : "there is no such test";
  printf("%s %s\n", failures ? "not ok" : "ok", name);
  for (const char *line = failures; line != NULL && *line != '\0';) {
    int length = (int)strcspn(line, "\n");
    printf("  %.*s\n", length, line);
    line += length + (line[length] == '\n');
  }
  fflush(stdout);
  return failures != NULL;
}

int main(int argc, char **argv) {
  int failed = 0;
  if (argc < 2) list();
  for (int i = 1; i < argc; i++) failed |= run(argv[i]);
  return failed;
}
