function noop() {}

// What C could not describe.
const NO_MEMORY = { code: 'ENOMEM', text: 'not enough memory', errno: -osConstants.errno.ENOMEM };

// Those that C can name. An error of any other name is an Error that bears it.
const CLASSES = {
  __proto__: null,
  AggregateError,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

// Defined, not set: prototypes may have setters, or be frozen. What is there already keeps its
// flags.
function define(object, key, value, enumerable = true) {
  ObjectDefineProperty(object, key, ObjectHasOwn(object, key)
    ? { __proto__: null, value }
    : { __proto__: null, value, enumerable, writable: true, configurable: true });
}

function defineAll(error, properties) {
  if (properties === undefined) return error;
  for (const key of ObjectKeys(properties)) define(error, key, properties[key]);
  return error;
}

// An Error from C's description, with the properties that Node gives its own. Its stack begins
// below `above`. It never throws.
function makeError(description = NO_MEMORY, above) {
  const { className, code, text, errno, syscall, path, properties } = description;
  let { message } = description;
  if (message === undefined) {
    message = syscall === undefined ? text : `${code}: ${text}, ${syscall}`;
    if (path !== undefined) message += ` '${path}'`;
  }
  if (className !== undefined) {
    return defineAll(errorOfClass(className, code, message, above), properties);
  }
  const error = new Error(message);
  captureStackTrace(error, above);
  if (errno !== undefined) define(error, 'errno', errno);
  define(error, 'code', code);
  if (syscall !== undefined) define(error, 'syscall', syscall);
  if (path !== undefined) define(error, 'path', path);
  return defineAll(error, properties);
}

// createErrorClass(name, base): from here on errors of the name are instances of it.
function createErrorClass(name, base) {
  const Base = base === 'AggregateError' ? undefined : CLASSES[base];
  const expected = Base === undefined ? 'a class of errors to extend'
    : CLASSES[name] !== undefined ? 'another name' : undefined;
  if (expected !== undefined) {
    throw codedError(Error, 'ERR_FIBRIL_SIGNATURE',
      `fibril_export_error: "${name} extends ${base}": expected ${expected}`, createErrorClass);
  }
  const make = native.evaluate(
    `(Base) => class ${name} extends Base {}\n//# sourceURL=fibril:class\n`);
  const Class = make(Base);
  define(Class.prototype, 'name', name, false);
  CLASSES[name] = Class;
  return Class;
}

function errorOfClass(name, code, message, above) {
  const Class = CLASSES[name];
  try {
    if (Class !== undefined) return codedError(Class, code, message, above);
  } catch {
    // A program has changed what the addon's class extends.
  }
  const error = codedError(Error, code, message, above, name);
  define(error, 'name', name, false);
  return error;
}

// What Node throws for a string of so many bytes that could not be made; undefined: it was not too
// long.
function stringFailure(length) {
  if (length <= MAX_STRING_LENGTH) return undefined;
  return codedError(Error, 'ERR_STRING_TOO_LONG', 'Cannot create a string longer than ' +
    `0x${MAX_STRING_LENGTH.toString(16)} characters`, stringFailure);
}

// An error that is a member of a result.
function nestedError(description) {
  return makeError(description, nestedError);
}

// Node's own errors have their code in the first line of the stack, "TypeError [CODE]: ...", which
// is made when first read: by the user's Error.prepareStackTrace, if there is one, whose own
// mistakes are not this error's.
function codedError(Class, code, message, above, name) {
  const error = Class === AggregateError ? new AggregateError([], message) : new Class(message);
  name ??= error.name;
  define(error, 'code', code);
  define(error, 'name', name === '' ? `[${code}]` : `${name} [${code}]`, false);
  captureStackTrace(error, above);
  try {
    void error.stack;
  } catch {
    // whoever reads it hears of that
  }
  delete error.name;
  return error;
}

// A rejection costs extra, a result doesn't: the Error is made in a promise reaction that the
// returned promise follows, which gives it the "at async caller" frames of whoever awaits.
function rejection(kind, value) {
  try {
    return promiseThen.call(promiseThen.call(resolved, noop), function fail() {
      throw kind === CALL_ERROR ? makeError(value, fail) : value;
    });
  } catch {
    // What a program has made of Promise's species fails: the call is settled all the same, by what
    // is no promise and so has none.
    const error = kind === CALL_ERROR ? makeError(value, rejection) : value;
    return { then: (_, reject) => reject(error) };
  }
}

class AbortError extends Error {
  code = 'ABORT_ERR';
  name = 'AbortError';

  constructor(cause) {
    super('The operation was aborted', cause === undefined ? undefined : { cause });
  }
}

// inspect() for messages. It may run users' code (getters, inspect.custom,
// Error.prepareStackTrace), whose own mistakes must not take the place of what the message is
// about.
function describeValue(value, options) {
  try {
    return inspect(value, options);
  } catch {
    // then more simply
  }
  try {
    return String(value);
  } catch {
    return `[${typeof value}]`;
  }
}

// A value as Node's messages describe one. What its getters throw is the call's outcome, as where
// they are read for the call itself.
function received(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return ` Received ${name ? `an instance of ${name}` : describeValue(value, { depth: -1 })}`;
  }
  const text = typeof value === 'string' ? quoted(value) : describeValue(value, { colors: false });
  return ` Received type ${typeof value} (${text})`;
}

function quoted(text) {
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return text.includes("'") ? stringify(text) : `'${text}'`;
}

function shortened(value) {
  const text = describeValue(value);
  return text.length > 128 ? `${text.slice(0, 128)}...` : text;
}

const SEVERAL = {
  __proto__: null,
  options: ['string', 'object'],
  data: ['string', 'Buffer', 'TypedArray', 'DataView'],
};
const TYPES = ['string', 'number', 'boolean', 'bigint', 'symbol', 'function', 'object'];

// "of type a", "one of type a or b", "one of type a, b, or c": two words for what stands before one
// of them and before several.
function choice(one, several, names) {
  if (names.length === 0) return [];
  if (names.length === 1) return [`${one}${names[0]}`];
  const last = names[names.length - 1];
  return [`${several}${names.slice(0, -1).join(', ')}${names.length > 2 ? ',' : ''} or ${last}`];
}

// What is expected, as Node's messages say it: types, then classes, then values.
function expectation(names) {
  let types = names.filter((name) => TYPES.includes(name));
  const classes = names.filter((name) => /^([\w$]+\.)*[A-Z]/.test(name));
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
  const names = ArrayIsArray(expected) ? expected : SEVERAL[expected] ?? [expected];
  const message = `The ${label} must be ${expectation(names)}.${received(value)}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', message, above);
}

// Numbers in messages about ranges.
function withSeparators(value) {
  const separated = () => String(value).replace(/\B(?=(\d{3})+$)/g, '_');
  if (typeof value === 'bigint') {
    return `${value > 2n ** 32n || value < -(2n ** 32n) ? separated() : value}n`;
  }
  return NumberIsInteger(value) && MathAbs(value) > 2 ** 32 ? separated() : inspect(value);
}

// `values`; an array at the end names the types of which any value is right.
function oneOf(values) {
  const text = (value) => {
    if (ArrayIsArray(value)) return `or ${expectation(value)}`;
    return typeof value === 'string' ? `'${value}'` : String(value);
  };
  return `must be one of: ${values.map(text).join(', ')}`;
}

// The error of an argument that does not fit, in Node's words. `mistake`: WRONG_TYPE and so on;
// `key`: "options.list[2]"; `text`: what was expected, as names of types, of a number, or of the
// value, there an array of the only values, too.
function badArgument(mistake, key, text, value) {
  const kind = key.includes('.') ? 'property' : 'argument';
  switch (mistake) {
    case WRONG_TYPE:
      return invalidType(`"${key}" ${kind}`, text, value, badArgument);
    case WRONG_RANGE:
      return codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${key}" is out of range. ` +
        `It must be ${text}. Received ${withSeparators(value)}`, badArgument);
    default:
      return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${key}' ` +
        `${ArrayIsArray(text) ? oneOf(text) : text}. Received ${shortened(value)}`, badArgument);
  }
}

// A path that is no string: a Buffer as it is, a URL as its path, undefined for what is neither. A
// URL of another scheme throws what Node throws.
function toPath(value) {
  if (isUint8Array(value)) return value;
  const isURL = value?.href && value.protocol && value.auth === undefined &&
    value.path === undefined; // of any realm, as Node looks
  return isURL ? fileURLToPath(value) : undefined;
}
