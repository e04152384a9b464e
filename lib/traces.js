'use strict';

/*
 * Where generators were when an error went through them: lines such as V8 adds for async functions. V8 tells the place of a suspended
 * generator to its inspector only, so the price is paid by errors, and by those only who have switched it on.
 */

const path = require('node:path');
const { pathToFileURL } = require('node:url');

const OWN = ['runner', 'control', 'members', 'yieldable', 'co', 'run', 'gen'].map((name) => path.join(__dirname, `${name}.js`));
const HERE = '__fibril_generator__'; // a property of the global object, while the inspector looks

let session = null;
const urls = new Map(); // by the inspector's number of a script
const framesOf = new WeakMap(); // by error: how many lines have been added

function connect() {
  const { Session } = require('node:inspector');
  session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
}

/** What the inspector answers; its sessions within a thread do so before `post` returns. */
function post(method, params) {
  let answer;
  session.post(method, params, (error, result) => {
    answer = error === null ? result : undefined;
  });
  return answer;
}

function urlOf(scriptId) {
  if (!urls.has(scriptId)) {
    // Enabling reports every script that there is. Leaving it on would let `debugger` statements stop the process.
    post('Debugger.enable');
    post('Debugger.disable');
  }
  const url = urls.get(scriptId);
  return url === undefined || url === '' ? '<anonymous>' : url;
}

/** `at async name (file:line:column)` of a suspended generator; undefined for what is none. */
function frameOf(generator) {
  Object.defineProperty(globalThis, HERE, { value: generator, configurable: true });
  try {
    const { result } = post('Runtime.evaluate', { expression: HERE, objectGroup: HERE });
    const { internalProperties = [] } = post('Runtime.getProperties', { objectId: result.objectId, ownProperties: true });
    const property = (name) => internalProperties.find((each) => each.name === name)?.value;
    const location = property('[[GeneratorLocation]]')?.value;
    if (location === undefined) return undefined;
    const name = /^[^(]*?\*\s*([^\s(]*)\s*\(/.exec(property('[[GeneratorFunction]]').description)?.[1];
    const place = `${urlOf(location.scriptId)}:${location.lineNumber + 1}:${location.columnNumber + 1}`.replace(pathToFileURL('/').href, '/');
    return name ? `    at async ${name} (${place})` : `    at async ${place}`;
  } finally {
    delete globalThis[HERE];
    post('Runtime.releaseObjectGroup', { objectGroup: HERE });
  }
}

function withoutOwn(stack) {
  return stack.split('\n').filter((line) => !OWN.some((file) => line.includes(file)) && !/\.next \(<anonymous>\)$/.test(line)).join('\n');
}

/** Adds to the stack of an error that is about to be thrown into a suspended generator. */
function add(error, generator) {
  if (!(error instanceof Error)) return;
  const frames = framesOf.get(error) ?? 0;
  if (frames >= (Error.stackTraceLimit ?? 0)) return;
  try {
    if (typeof error.stack !== 'string') return;
    const frame = frameOf(generator);
    if (frame === undefined) return;
    error.stack = `${frames === 0 ? withoutOwn(error.stack) : error.stack}\n${frame}`;
    framesOf.set(error, frames + 1);
  } catch {
    // A frozen error, or no inspector to ask: the error as it is matters more.
  }
}

const traces = {
  on: false,
  add,

  /**
   * Switches the traces on or off.
   * @param {boolean} [on]
   * @returns {boolean} whether they are on now: Node may have been built, or may run, without an inspector
   */
  enable(on = true) {
    try {
      if (on && session === null) connect();
      traces.on = Boolean(on);
    } catch {
      session = null;
      traces.on = false;
    }
    return traces.on;
  },
};

if (process.env.FIBRIL_TRACES === '1') traces.enable();

module.exports = traces;
