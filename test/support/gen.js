'use strict';

/* What the tests of gen, IOLoop, locks and queues share. */

const { once } = require('node:events');
const { co, gc, turn, collectUntil, unhandledDuring } = require('./co');

const { gen, Future, IOLoop } = co;

/**
 * Runs `body` and returns the warnings of fibril that it causes, as [code, message, first line of
 * the detail].
 */
async function warningsDuring(body) {
  const found = [];
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning',
    ({ code, message, detail = '' }) => found.push([code, message, detail.split('\n')[0]]));
  try {
    await body();
    await turn();
  } finally {
    process.removeAllListeners('warning');
    for (const listener of listeners) process.on('warning', listener);
  }
  return found;
}

/** Runs `body`, waits for `count` uncaught exceptions and returns them. */
async function uncaughtDuring(count, body) {
  const found = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const all = new Promise((resolve) => {
    process.on('uncaughtException', (error) => {
      if (found.push(error) === count) resolve();
    });
  });
  try {
    await body();
    await all;
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
  return found;
}

/**
 * Runs `body`, collects garbage, and returns the messages of the errors that nobody has asked for.
 */
async function lostDuring(body) {
  const found = await unhandledDuring(async () => {
    await body();
    for (let i = 0; i < 5; i++) {
      await turn();
      gc();
    }
    await turn();
  });
  return found.map(({ error }) => error.message);
}

/** Lets `count` iterations of the loop go by. */
async function iterations(count) {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => IOLoop.current().addCallback(resolve));
  }
}

/** A test whose body is a coroutine. */
const coroutineTest = (body) => gen.coroutine(body);

/** A Future settled after `n` iterations, with an error when it is one. */
const after = gen.coroutine(function* (n, value) {
  for (let i = 0; i < n; i++) yield gen.moment;
  if (value instanceof Error) throw value;
  return value;
});

const failed = (error) => {
  const future = new Future();
  future.setException(error);
  return future;
};

module.exports = {
  after, failed, co, gen, gc, turn, once, collectUntil, unhandledDuring, lostDuring, warningsDuring,
  uncaughtDuring, iterations, coroutineTest,
};
