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

// An error that is a member of a result.
function nestedError(description) {
  return makeError(description, nestedError);
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

const SEVERAL = {
  __proto__: null,
  options: ['string', 'object'],
  data: ['string', 'Buffer', 'TypedArray', 'DataView'],
};
const TYPES = ['string', 'number', 'boolean', 'bigint', 'symbol', 'function', 'object'];

// "of type a", "one of type a or b", "one of type a, b, or c": two words for what stands before one of them and before several.
function choice(one, several, names) {
  if (names.length === 0) return [];
  if (names.length === 1) return [`${one}${names[0]}`];
  const last = names[names.length - 1];
  return [`${several}${names.slice(0, -1).join(', ')}${names.length > 2 ? ',' : ''} or ${last}`];
}

// What is expected, as Node's messages say it: types, then classes, then values.
function expectation(names) {
  let types = names.filter((name) => TYPES.includes(name));
  const classes = names.filter((name) => /^[A-Z]/.test(name));
  const values = names.filter((name) => !types.includes(name) && !classes.includes(name));
  if (classes.length > 0 && types.includes('object')) {
    types = types.filter((name) => name !== 'object');
    classes.push('Object');
  }
  return [
    ...choice('of type ', 'one of type ', types),
    ...choice('an instance of ', 'an instance of ', classes),
    ...choice('', 'one of ', values),
  ].join(' or ');
}

// `expected`: the name of a type, class or value, or an array of such.
function invalidType(label, expected, value, above = invalidType) {
  const names = Array.isArray(expected) ? expected : SEVERAL[expected] ?? [expected];
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${label} must be ${expectation(names)}.${received(value)}`, above);
}

// Numbers in messages about ranges.
function withSeparators(value) {
  const separated = () => String(value).replace(/\B(?=(\d{3})+$)/g, '_');
  if (typeof value === 'bigint') return `${value > 2n ** 32n || value < -(2n ** 32n) ? separated() : value}n`;
  return Number.isInteger(value) && Math.abs(value) > 2 ** 32 ? separated() : inspect(value);
}

function oneOf(values) {
  return `must be one of: ${values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(', ')}`;
}

// The error of an argument that does not fit, in Node's words. `mistake` as in export.h; `key`: "options.list[2]"; `text`: what was
// expected, as names of types (0), of a number (1), or of the value (2), there an array of the only values, too.
function badArgument(mistake, key, text, value) {
  const kind = key.includes('.') ? 'property' : 'argument';
  switch (mistake) {
    case 0:
      return invalidType(`"${key}" ${kind}`, text, value, badArgument);
    case 1:
      return codedError(RangeError, 'ERR_OUT_OF_RANGE',
        `The value of "${key}" is out of range. It must be ${text}. Received ${withSeparators(value)}`, badArgument);
    default:
      return codedError(TypeError, 'ERR_INVALID_ARG_VALUE',
        `The ${kind} '${key}' ${Array.isArray(text) ? oneOf(text) : text}. Received ${shortened(value)}`, badArgument);
  }
}

// A path that is no string: a Buffer as it is, a URL as its path, undefined for what is neither. A URL of another
// scheme throws what Node throws.
function toPath(value) {
  if (value instanceof Uint8Array) return value;
  const isURL = value !== null && typeof value === 'object' && value.href && value.protocol && value.auth === undefined;
  return isURL ? fileURLToPath(value) : undefined;
}
