'use strict';

/*
 * Where generators were when an error went through them: lines such as V8 adds for async functions.
 * V8 tells the place of a suspended generator to its inspector only, so the price is paid by
 * errors, and by those only who have switched it on.
 */

const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Error, ObjectDefineProperty, globalObject, process } = require('../primordials.js');

// Lines that have one of these. In a bundle, whose folder is the program's own, nothing tells
// fibril's lines from others.
const OWN = ['fibril:runtime', '.next (<anonymous>)', '.throw (<anonymous>)'];
if (path.basename(__filename) === 'traces.js') OWN.push(`${path.dirname(__dirname)}${path.sep}`);
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
    // Enabling reports every script that there is. Leaving it on would let `debugger` statements
    // stop the process.
    post('Debugger.enable');
    post('Debugger.disable');
  }
  const url = urls.get(scriptId);
  return url === undefined || url === '' ? '<anonymous>' : url;
}

/** `at async name (file:line:column)` of a suspended generator; undefined for what is none. */
function frameOf(generator) {
  ObjectDefineProperty(globalObject, HERE, { value: generator, configurable: true });
  try {
    const { result } = post('Runtime.evaluate', { expression: HERE, objectGroup: HERE });
    const wanted = { objectId: result.objectId, ownProperties: true };
    const { internalProperties = [] } = post('Runtime.getProperties', wanted);
    const property = (name) => internalProperties.find((each) => each.name === name)?.value;
    const location = property('[[GeneratorLocation]]')?.value;
    if (location === undefined) return undefined;
    const { description } = property('[[GeneratorFunction]]');
    const name = /^[^(]*?\*\s*([^\s(]*)\s*\(/.exec(description)?.[1];
    const { lineNumber, columnNumber, scriptId } = location;
    const url = `${urlOf(scriptId)}:${lineNumber + 1}:${columnNumber + 1}`;
    const place = url.replace(pathToFileURL('/').href, '/');
    return name ? `    at async ${name} (${place})` : `    at async ${place}`;
  } finally {
    delete globalObject[HERE];
    post('Runtime.releaseObjectGroup', { objectGroup: HERE });
  }
}

function isOwn(line) {
  return line !== undefined && OWN.some((place) => line.includes(place));
}

/**
 * A stack without the lines of the runner, and without those of Node by which it has come back into
 * an async context.
 */
function withoutOwn(stack) {
  const lines = stack.split('\n');
  const isScope = (line, i) =>
    line.includes('AsyncResource.runInAsyncScope') && isOwn(lines[i + 1]);
  const isKept = (line, i) => !/^ +at /.test(line) || (!isOwn(line) && !isScope(line, i));
  return lines.filter(isKept).join('\n');
}

/** Adds to the stack of an error that is about to be thrown into a suspended generator. */
function add(error, generator) {
  try {
    if (!(error instanceof Error)) return;
    const frames = framesOf.get(error) ?? 0;
    if (frames >= (Error.stackTraceLimit ?? 0)) return;
    if (typeof error.stack !== 'string') return;
    const frame = frameOf(generator);
    if (frame === undefined || isOwn(frame)) return;
    error.stack = `${frames === 0 ? withoutOwn(error.stack) : error.stack}\n${frame}`;
    framesOf.set(error, frames + 1);
  } catch {
    // An error that is frozen or may not be looked at, or no inspector to ask: the error as it is
    // matters more.
  }
}

const traces = {
  on: false,
  add,

  /**
   * Switches the traces on or off.
   * @param {boolean} [on]
   * @returns {boolean} whether they are on now: Node may have been built, or may run, without an
   *   inspector
   */
  enable(on = true) {
    try {
      if (on && session === null) connect();
      traces.on = !!on;
    } catch {
      session = null;
      traces.on = false;
    }
    return traces.on;
  },
};

if (process.env.FIBRIL_TRACES === '1') traces.enable();

module.exports = traces;
