function noop() {}

// What C could not describe.
const NO_MEMORY = { code: 'ENOMEM', text: 'not enough memory', errno: -osConstants.errno.ENOMEM };

// An Error from C's description, with the properties that Node gives its own. Its stack begins below `above`.
function makeError(description = NO_MEMORY, above) {
  const { className, code, text, errno, syscall, path, properties } = description;
  let { message } = description;
  if (message === undefined) {
    message = syscall === undefined ? text : `${code}: ${text}, ${syscall}`;
    if (path !== undefined) message += ` '${path}'`;
  }
  if (className !== undefined) return Object.assign(codedError(globalThis[className], code, message, above), properties);
  const error = new Error(message);
  Error.captureStackTrace(error, above);
  if (errno !== undefined) error.errno = errno;
  error.code = code;
  if (syscall !== undefined) error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return Object.assign(error, properties);
}

// Node's own errors have their code in the first line of the stack, "TypeError [CODE]: ...", which is made when first read.
function codedError(Class, code, message, above) {
  const error = new Class(message);
  error.code = code;
  const name = { value: `${error.name} [${code}]`, enumerable: false, configurable: true };
  Object.defineProperty(error, 'name', name);
  Error.captureStackTrace(error, above);
  void error.stack;
  delete error.name;
  return error;
}

// A rejection costs extra, a result doesn't: the Error is made in a promise reaction that the returned promise follows, which
// gives it the "at async caller" frames of whoever awaits.
function rejection(kind, value) {
  return promiseThen.call(promiseThen.call(resolved, noop), function fail() {
    throw kind === CALL_ERROR ? makeError(value, fail) : value;
  });
}

class AbortError extends Error {
  constructor(cause) {
    super('The operation was aborted', cause === undefined ? undefined : { cause });
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

// A value as Node's messages describe one.
function received(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return ` Received ${name ? `an instance of ${name}` : inspect(value, { depth: -1 })}`;
  }
  return ` Received type ${typeof value} (${typeof value === 'string' ? quoted(value) : inspect(value, { colors: false })})`;
}

function quoted(text) {
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

function shortened(value) {
  const text = inspect(value);
  return text.length > 128 ? `${text.slice(0, 128)}...` : text;
}

const EXPECTED = {
  __proto__: null,
  path: 'of type string or an instance of Buffer or URL',
  bytes: 'an instance of Buffer, TypedArray, DataView, or ArrayBuffer',
  AbortSignal: 'an instance of AbortSignal',
  options: 'one of type string or object',
  data: 'of type string or an instance of Buffer, TypedArray, or DataView',
};

function invalidType(label, type, value, above = invalidType) {
  const expected = EXPECTED[type] ?? `of type ${type}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${label} must be ${expected}.${received(value)}`, above);
}

function withSeparators(value) {
  return Number.isInteger(value) && Math.abs(value) > 2 ** 32
    ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : inspect(value);
}

// The error of an argument that does not fit, in Node's words. `what` as in args.c.
function badArgument(what, outer, name, type, value, least, most) {
  const key = outer === '' ? name : `${outer}.${name}`;
  const label = outer === '' ? `"${key}" argument` : `"${key}" property`;
  switch (what) {
    case 0:
      return invalidType(label, type, value, badArgument);
    case 1:
      return codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${key}" is out of range. ` +
        `It must be >= ${least} && <= ${most}. Received ${withSeparators(value)}`, badArgument);
    case 2:
      return codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${key}" is out of range. ` +
        `It must be an integer. Received ${withSeparators(value)}`, badArgument);
    default:
      return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${outer === '' ? 'argument' : 'property'} '${key}' ` +
        `must be a string, Uint8Array, or URL without null bytes. Received ${shortened(value)}`, badArgument);
  }
}

// A path that is no string: a Buffer as it is, a URL as its path, undefined for what is neither. A URL of another
// scheme throws what Node throws.
function toPath(value) {
  if (value instanceof Uint8Array) return value;
  const isURL = value !== null && typeof value === 'object' && value.href && value.protocol && value.auth === undefined;
  return isURL ? fileURLToPath(value) : undefined;
}
