'use strict';

// Which errors of fibril's functions tests have seen. A header, put before every file of C tests by
// the compiler (-include), makes each call of a function that can fail note what came of it: a line
// "FUNCTION CODE" in the file that FIBRIL_PROVOKED names, if it names one.
// test/package/errors.test.js and npm run test:failure compare that with what include/fibril.h
// promises.
//
// node scripts/provoked.js FOLDER: writes that header, if it is not there, and prints where it is.

const fs = require('fs');
const path = require('path');
const { readHeader, promises } = require('./header.js');

const OPENING = `/* Made by scripts/provoked.js: notes what comes of calls that can fail. */
#if defined(__has_include)
#if __has_include(<fibril.h>)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fibril.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One descriptor for all files: a test may leave the process without any. */
__attribute__((weak, visibility("hidden"))) int provoked_fd_ = -1;
__attribute__((constructor)) static void provoked_open(void) {
  const char *file = getenv("FIBRIL_PROVOKED");
  if (file == NULL || provoked_fd_ >= 0) return;
  provoked_fd_ = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (provoked_fd_ < 0) abort();
}

__attribute__((unused, noinline)) static void provoked_note(const char *function, const char *code) {
  char line[128];
  int saved = errno, length = snprintf(line, sizeof line, "%s %s\\n", function, code);
  if (provoked_fd_ >= 0 && write(provoked_fd_, line, (size_t)length) != length) abort();
  errno = saved;
}

/* At each place only what is new there: some are called millions of times. */
#define PROVOKED(name, code, call)                                          \\
  ({                                                                        \\
    __auto_type provoked_result_ = call;                                    \\
    static _Atomic int64_t provoked_last_;                                  \\
    int64_t provoked_code_ = (int64_t)(code);                               \\
    if (__builtin_expect(provoked_code_ < 0 && provoked_code_ != provoked_last_, 0)) { \\
      provoked_last_ = provoked_code_;                                      \\
      provoked_note(name, provoked_code_ == INT64_MIN ? "NULL" : (fibril_err_name)((int)provoked_code_)); \\
    }                                                                       \\
    provoked_result_;                                                       \\
  })
#define PROVOKED_CODE(name, call) PROVOKED(name, provoked_result_, call)
#define PROVOKED_VALUE(name, call) PROVOKED(name, (fibril_error_code)(provoked_result_), call)
#define PROVOKED_POINTER(name, call) PROVOKED(name, provoked_result_ == NULL ? INT64_MIN : 0, call)

/*
 * Of what gives a future: the code of one that has failed already, which is freed. \`call\` is of
 * the function itself.
 */
#define FAILED_FUTURE(call) provoked_future(#call, call)
__attribute__((unused)) static int provoked_future(const char *text, fibril_future *future) {
  char name[64];
  int code = (fibril_error_code)((fibril_future_result)(future));
  sscanf(text, "%63[a-z_]", name);
  if (code < 0) provoked_note(name, (fibril_err_name)(code));
  fibril_future_unref(future);
  return code;
}
`;

const CLOSING = `
#endif
#endif
`;

const WITH = { code: 'PROVOKED_CODE', value: 'PROVOKED_VALUE', pointer: 'PROVOKED_POINTER',
  future: 'PROVOKED_POINTER' };

function recorder() {
  const failing = [...readHeader().functions.values()]
    .filter(({ gives, errors }) => gives !== 'nothing' && errors.length > 0);
  const macros = failing.map(({ name, gives }) =>
    `#define ${name}(...) ${WITH[gives]}("${name}", (${name})(__VA_ARGS__))\n`);
  return OPENING + macros.join('') + CLOSING;
}

/** Where the header is, in a folder for what is built. */
function writeRecorder(folder) {
  const file = path.resolve(folder, 'provoked.h');
  const text = recorder();
  fs.mkdirSync(folder, { recursive: true });
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) fs.writeFileSync(file, text);
  return file;
}

/**
 * The pairs in such a file, "FUNCTION CODE" each. libuv's names of its codes have no UV_ in front.
 */
function readProvoked(file) {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
  return new Set(lines.map((line) => line.replace(/ (?=E)/, ' UV_')));
}

// What comes only of calls that fail, which test/failure lets fail: nothing else could bring it
// about.
const ONLY_FAILING = new Set(['fibril_future_new NULL', 'fibril_loop_new those of uv_async_init',
  'fibril_signal_open those of uv_signal_init', 'fibril_tty_open those of uv_tty_init',
  'fibril_stream_adopt those of uv_tcp_open and uv_pipe_open',
  'fibril_stream_address those of getpeername', 'fibril_process_kill UV_EPERM']);

function isOfFailures(pair) {
  return pair.endsWith(' UV_ENOMEM') || ONLY_FAILING.has(pair);
}

/**
 * What the header promises and nothing in `provoked` has brought about. "those of" stands for every
 * code that it does not name.
 */
function missing(provoked) {
  const header = readHeader();
  const others = new Set([...provoked].filter((pair) => {
    const [name, code] = pair.split(' ');
    return !header.functions.get(name)?.errors.some((error) => error.code === code);
  }).map((pair) => pair.split(' ')[0]));
  return promises(header).filter(([name, error]) => {
    return error.startsWith('those of ') ? !others.has(name) : !provoked.has(`${name} ${error}`);
  }).map((pair) => pair.join(' '));
}

/** What came of a function that the header does not say can come of it. */
function unpromised(provoked) {
  const { functions } = readHeader();
  return [...provoked].filter((pair) => {
    const [name, code] = pair.split(' ');
    const { errors } = functions.get(name);
    return !errors.some((error) => error.code === code || error.those !== undefined);
  });
}

module.exports = { writeRecorder, readProvoked, isOfFailures, missing, unpromised };

if (require.main === module) console.log(writeRecorder(process.argv[2]));
