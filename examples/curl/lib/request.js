'use strict';

// What fetch takes, as the addon wants it.

const DEFAULTS = {
  redirect: 'follow',
  maxRedirects: 20,
  compressed: true,
  rejectUnauthorized: true,
  proxy: '',
  connectTimeout: 20000,
};

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // a token of RFC 9110
const STANDARD = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

function invalid(message) {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

function checkMethod(method) {
  if (!METHOD.test(method) || /^(connect|trace|track)$/i.test(method)) {
    throw invalid(`The method ${JSON.stringify(method)} can't be sent`);
  }
  return STANDARD.has(method.toUpperCase()) ? method.toUpperCase() : method;
}

/** The bytes of a body and the type that it has by itself. */
function bodyOf(body) {
  if (typeof body === 'string') return [Buffer.from(body), 'text/plain;charset=UTF-8'];
  if (body instanceof URLSearchParams) {
    return [Buffer.from(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8'];
  }
  return [body, null];
}

// Latin-1, as HTTP has it. libcurl would take "Name:" for the wish not to send that header at all.
function headerLines(headers) {
  const lines = [...headers]
    .map(([name, value]) => (value === '' ? `${name};\n` : `${name}: ${value}\n`));
  return Buffer.from(`${lines.join('')}\0`, 'latin1');
}

/** [url, options] of Client.request; throws what is wrong with them. */
function encode(url, { method = 'GET', headers, body, ...options }) {
  const { href } = new URL(url);
  const given = { method: checkMethod(`${method}`), headers: new Headers(headers) };
  for (const name in DEFAULTS) {given[name] = options[name] === undefined
    ? DEFAULTS[name] : options[name];}
  if (!['follow', 'manual', 'error'].includes(given.redirect)) {
    throw invalid(
      `The "redirect" option must be 'follow', 'manual' or 'error'. Received ${JSON.stringify(
        given.redirect)}`);
  }
  if (options.ca !== undefined) given.ca = Buffer.from(options.ca);
  if (options.timeout !== undefined) given.timeout = options.timeout;
  if (options.signal != null) given.signal = options.signal;
  if (body != null) {
    if (given.method === 'GET' || given.method === 'HEAD') {
      throw invalid(`A ${given.method} has no body`);
    }
    const [bytes, type] = bodyOf(body);
    given.body = bytes;
    if (type !== null && !given.headers.has('content-type')) {
      given.headers.set('content-type', type);
    }
  }
  given.headers = headerLines(given.headers);
  return [href, given];
}

module.exports = { encode };
