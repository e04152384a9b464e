'use strict';

/*
 * How Tornado 4.5 orders things, in its own words and nothing else: callbacks of a Future run
 * inside set_result; a Runner goes on at once with a Future that is done, and otherwise in a
 * callback of the loop; an iteration runs the callbacks that were there when it began, then the
 * timeouts that were due then. All timeouts lie in the past, so that no clock is needed. What it
 * gives is named as in fibril.
 */

class Future {
  #state = 'pending';
  #value = undefined;
  #callbacks = [];

  done() {
    return this.#state !== 'pending';
  }

  result() {
    if (this.#state === 'failed') throw this.#value;
    return this.#value;
  }

  addDoneCallback(callback) {
    if (this.done()) callback(this);
    else this.#callbacks.push(callback);
  }

  setResult(value) {
    this.#settle('fulfilled', value);
  }

  setException(error) {
    this.#settle('failed', error);
  }

  #settle(state, value) {
    if (this.done()) throw new Error('settled twice');
    this.#state = state;
    this.#value = value;
    for (const callback of this.#callbacks) callback(this);
  }
}

/** Runs `body` and gives its outcome to a Future that is pending. */
function settleWith(future, body) {
  let value;
  try {
    value = body();
  } catch (error) {
    future.setException(error);
    return;
  }
  future.setResult(value);
}

class Loop {
  #callbacks = [];
  #timeouts = [];
  #counter = 0;

  addCallback(callback) {
    this.#callbacks.push(callback);
  }

  addFuture(future, callback) {
    future.addDoneCallback(() => this.addCallback(() => callback(future)));
  }

  /** `ms` is negative, and so large that the time which passes between two calls does not count. */
  callLater(ms, callback) {
    const timeout = { ms, order: this.#counter++, callback };
    this.#timeouts.push(timeout);
    return timeout;
  }

  removeTimeout(timeout) {
    timeout.callback = null;
  }

  run() {
    while (this.#callbacks.length + this.#timeouts.length > 0) {
      const callbacks = this.#callbacks;
      const due = this.#timeouts.sort((a, b) => a.ms - b.ms || a.order - b.order);
      this.#callbacks = [];
      this.#timeouts = [];
      for (const callback of callbacks) callback();
      for (const { callback } of due) callback?.();
    }
  }
}

class Return extends Error {
  constructor(value) {
    super();
    this.value = value;
  }
}

class BadYieldError extends Error {
  name = 'BadYieldError';
}

class TimeoutError extends Error {
  name = 'TimeoutError';
}

/** Everything anew, with a loop of its own. */
function tornado() {
  const loop = new Loop();
  const moment = new Future();
  moment.setResult(undefined);

  function convertYielded(value) {
    if (value === undefined || value === null) return moment;
    if (value instanceof Future) return value;
    if (Array.isArray(value) || value.constructor === Object) return multi(value);
    throw new BadYieldError();
  }

  function multi(children) {
    const keys = Array.isArray(children) ? null : Object.keys(children);
    const futures = (keys === null ? children : Object.values(children)).map(convertYielded);
    const unfinished = new Set(futures);
    const result = new Future();
    const finish = () => settleWith(result, () => {
      const values = futures.map((each) => each.result());
      return keys === null ? values : Object.fromEntries(keys.map((key, i) => [key, values[i]]));
    });
    if (futures.length === 0) finish();
    for (const future of new Set(futures)) {
      future.addDoneCallback(() => {
        unfinished.delete(future);
        if (unfinished.size === 0) finish();
      });
    }
    return result;
  }

  function chainFuture(from, to) {
    from.addDoneCallback(() => {
      if (!to.done()) settleWith(to, () => from.result());
    });
  }

  function withTimeout(ms, yieldable) {
    const future = convertYielded(yieldable);
    const result = new Future();
    chainFuture(future, result);
    const timeout = loop.callLater(ms, () => result.setException(new TimeoutError()));
    future.addDoneCallback(() => loop.removeTimeout(timeout));
    return result;
  }

  class WaitIterator {
    #finished = [];
    #unfinished;
    #running = null;

    constructor(...futures) {
      this.#unfinished = new Map(futures.map((future, i) => [future, i]));
      this.currentIndex = undefined;
      for (const future of futures) {
        future.addDoneCallback(() => {
          if (this.#running !== null && !this.#running.done()) this.#answer(future);
          else this.#finished.push(future);
        });
      }
    }

    done() {
      return this.#finished.length === 0 && this.#unfinished.size === 0;
    }

    next() {
      this.#running = new Future();
      if (this.#finished.length > 0) this.#answer(this.#finished.shift());
      return this.#running;
    }

    #answer(future) {
      chainFuture(future, this.#running);
      this.currentIndex = this.#unfinished.get(future);
      this.#unfinished.delete(future);
    }
  }

  class Runner {
    constructor(generator, result) {
      this.generator = generator;
      this.result = result;
      this.future = null;
      if (this.step(() => generator.next())) this.run();
    }

    run() {
      let goesOn = true;
      while (goesOn) {
        const { future, generator } = this;
        let value;
        let error = null;
        try {
          value = future.result();
        } catch (thrown) {
          error = thrown;
        }
        goesOn = this.step(() => (error === null ? generator.next(value) : generator.throw(error)));
      }
    }

    /** Whether the coroutine goes on at once. */
    step(advance) {
      let answer;
      try {
        answer = advance();
      } catch (error) {
        if (error instanceof Return) this.result.setResult(error.value);
        else this.result.setException(error);
        return false;
      }
      if (answer.done) {
        this.result.setResult(answer.value);
        return false;
      }
      try {
        this.future = convertYielded(answer.value);
      } catch (error) {
        this.future = new Future();
        this.future.setException(error);
      }
      if (this.future.done() && this.future !== moment) return true;
      loop.addFuture(this.future, () => this.run());
      return false;
    }
  }

  const coroutine = (fn) => (...args) => {
    const result = new Future();
    new Runner(fn(...args), result);
    return result;
  };

  return { loop, Future, gen: { moment, multi, chainFuture, withTimeout, WaitIterator, coroutine,
    Return } };
}

module.exports = { tornado };
