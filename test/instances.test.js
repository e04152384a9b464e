'use strict';

// Objects of C's classes as arguments and results, and what classes have besides methods.

const assert = require('node:assert');
const path = require('node:path');
const { inspect } = require('node:util');
const { Worker } = require('node:worker_threads');
const co = require('../lib');
const { collectUntil, errorOf, runScript, thrownBy } = require('./support/natives');

const addonPath = path.join(__dirname, 'addon', 'build', 'Release', 'instances.node');
const addon = require(addonPath);
const { Point, Ring } = addon;

const settled = async () => collectUntil(() => addon.countLive() === 0);

const collectRounds = (count) => collectUntil(() => count-- === 0);

const turns = async (count) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

describe('objects of classes as arguments', () => {
  it('give C their struct', async () => {
    const point = new Point(3);
    assert.strictEqual(addon.valueOf(point), 3);
    assert.strictEqual(await addon.valueOfLater(point, 0), 3);
    assert.strictEqual(addon.valueOrNull(), null);
    assert.strictEqual(addon.valueOrNull(null), null);
    assert.strictEqual(addon.valueOrNull(point), 3);
  });

  it('may be anywhere in a type', async () => {
    const points = [1, 2, 3].map((value) => new Point(value));
    assert.strictEqual(addon.sum(points), 6);
    assert.strictEqual(await addon.sumLater(points), 6);
    assert.strictEqual(addon.sumAll(...points), 6);
    assert.strictEqual(addon.sumAll(), 0);
    assert.strictEqual(addon.option({ at: points[1] }), 2);
    assert.strictEqual(addon.option({}), -1);
    assert.strictEqual(addon.option(), -1);
  });

  it('are told apart in a union', () => {
    const point = new Point(1);
    const label = point.label('a');
    assert.deepStrictEqual([point, label, {}, null].map(addon.kindOf),
      ['point', 'label', 'none', 'none']);
    assert.strictEqual(addon.same(point), point);
    assert.strictEqual(addon.same(label), label);
    assert.strictEqual(addon.same('text'), 'text');
  });

  it('are those of subclasses, too', () => {
    class Pixel extends Point {
      constructor(value) {
        super(value * 2);
      }
    }
    assert.strictEqual(addon.valueOf(new Pixel(4)), 8);
  });

  it('are nothing else: that is refused in Node\'s words', async () => {
    const label = new Point(1).label('a');
    for (const [value, received] of [
      [label, 'an instance of Label'], [{}, 'an instance of Object'], [undefined, 'undefined'],
      [3, 'type number (3)'], [Point, 'function Point'], [Point.prototype, 'an instance of Point'],
      [Object.create(Point.prototype), 'an instance of Point'],
      [new Proxy(new Point(1), {}), 'an instance of Point'],
    ]) {
      const message = `The "point" argument must be an instance of Point. Received ${received}`;
      const { name, code, message: actual } = thrownBy(() => addon.valueOf(value));
      assert.deepStrictEqual([name, code, actual], ['TypeError', 'ERR_INVALID_ARG_TYPE', message]);
      assert.strictEqual((await errorOf(addon.valueOfLater(value, 0))).message, message);
    }
    assert.strictEqual(thrownBy(() => addon.sum([new Point(1), {}])).message,
      'The "points[1]" property must be an instance of Point. Received an instance of Object'
        .replace('property', 'argument'));
    assert.strictEqual(thrownBy(() => addon.option({ at: label })).message,
      'The "options.at" property must be an instance of Point. Received an instance of Label');
    assert.strictEqual(thrownBy(() => addon.same(1)).message,
      'The "value" argument must be of type string or an instance of Point or Label. ' +
        'Received type number (1)');
  });

  it('are found again, whichever was found last', async () => {
    const points = [new Point(1), new Point(2)], label = points[0].label('a');
    for (let round = 0; round < 3; round++) {
      for (const [i, point] of points.entries()) {
        for (let again = 0; again < 2; again++) assert.strictEqual(addon.valueOf(point), i + 1);
        assert.strictEqual(label.text, 'a');
        assert.throws(() => addon.valueOf(label), { code: 'ERR_INVALID_ARG_TYPE' });
        for (const other of [label, new Proxy(point, {}), Object.create(point)]) {
          assert.strictEqual(addon.valueOf(point), i + 1);
          assert.throws(() => addon.valueOf(other), { code: 'ERR_INVALID_ARG_TYPE' });
        }
        const getter = Object.getOwnPropertyDescriptor(Point.prototype, 'value').get;
        assert.throws(() => getter.call(label), { code: 'ERR_INVALID_THIS' });
      }
    }
    for (let round = 0; round < 3; round++) {
      assert.strictEqual(addon.valueOf(new Point(round)), round);
      await collectRounds(2);
    }
  });

  it('are not those of another environment\'s addon', async () => {
    const source = `
      const { parentPort } = require('worker_threads');
      const { Point, valueOf } = require(${JSON.stringify(addonPath)});
      parentPort.postMessage(valueOf(new Point(5)));`;
    const [value] = await require('node:events').once(new Worker(source, { eval: true }),
      'message');
    assert.strictEqual(value, 5);
  });

  it('stay while a call waits, though nobody else has them', async () => {
    await settled();
    const promise = addon.valueOfLater(new Point(7), -1);
    await collectRounds(3);
    assert.strictEqual(addon.countLive(), 1);
    addon.wake();
    assert.strictEqual(await promise, 7);
    await settled();
  });

  it('come back as the same object, with what JavaScript has put on it', async () => {
    class Pixel extends Point {}
    const made = () => Object.assign(new Pixel(2), { mark: 'mine' });
    const later = addon.sameLater(made(), -1);
    await collectRounds(3);
    addon.wake();
    const result = await later;
    assert.ok(result instanceof Pixel);
    assert.strictEqual(result.mark, 'mine');
    const point = made();
    assert.strictEqual(addon.same(point), point);
  });
});

describe('objects of classes as results', () => {
  it('are made by C, without the constructor', async () => {
    const point = Point.at(5);
    assert.ok(point instanceof Point);
    assert.strictEqual(Object.getPrototypeOf(point), Point.prototype);
    assert.strictEqual(point.value, 5);
    assert.strictEqual((await Point.atLater(6)).value, 6);
    assert.strictEqual(addon.valueOf(Point.at(8)), 8);
  });

  it('may stand in arrays and objects, the same one twice', () => {
    const { points, again } = addon.line(200);
    assert.deepStrictEqual(points.map(({ value }) => value),
      Array.from({ length: 200 }, (_, i) => i));
    assert.strictEqual(again, points[0]);
    assert.ok(points.every((point) => point instanceof Point));
  });

  it('are what generators yield, and what functions are called with', async () => {
    const point = new Point(3);
    const all = [];
    for await (const each of point) all.push(each);
    assert.deepStrictEqual(all.map(({ value }) => value), [2, 3, 4]);
    assert.strictEqual(all[1], point);
    let passed;
    const result = await addon.pass((each) => (passed = each));
    assert.strictEqual(result, passed);
    assert.strictEqual(result.value, 7);
  });

  it('are "this", also where only the call has it', async () => {
    class Pixel extends Point {}
    const point = new Pixel(1);
    assert.strictEqual(point.self(), point);
    assert.strictEqual(await point.selfLater(0), point);
    const made = () => Object.assign(new Pixel(2), { mark: 'mine' });
    const promise = made().selfLater(-1);
    await collectRounds(3);
    addon.wake();
    const result = await promise;
    assert.ok(result instanceof Pixel);
    assert.strictEqual(result.mark, 'mine');
  });

  it('are "this" of a generator, which keeps it', async () => {
    class Pixel extends Point {}
    const made = () => Object.assign(new Pixel(2), { mark: 'mine' });
    const iterator = made()[Symbol.asyncIterator]();
    await iterator.next();
    await collectRounds(3);
    const { value } = await iterator.next();
    assert.ok(value instanceof Pixel);
    assert.strictEqual(value.mark, 'mine');
    await iterator.return();
  });

  it('are made anew for a struct whose object has been collected', async () => {
    await settled();
    const label = (() => new Point(9).label('nine'))();
    await collectRounds(3);
    assert.strictEqual(addon.countLive(), 2);
    const first = label.of;
    assert.ok(first instanceof Point);
    assert.strictEqual(first.value, 9);
    assert.strictEqual(label.of, first);
  });

  it('while the finalizer of the first one is still to come', async () => {
    await settled();
    await (async () => {
      const label = (() => Object.assign(new Point(9), { mark: 'first' }).label('nine'))();
      // Collections that nobody has asked for leave finalizers for later. Whoever looks at the
      // object keeps it for this turn.
      let garbage = [];
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 400; i++) garbage.push(new Array(20000).fill(i));
        if (round % 2 === 1) garbage = [];
      }
      assert.strictEqual(label.of.mark, undefined);
      assert.strictEqual(addon.valueOf(label.of), 9);
      assert.strictEqual(label.of, label.of);
    })();
    await settled();
  });

  it('again and again, and the struct is released once', async () => {
    await settled();
    await (async () => {
      const label = (() => new Point(9).label('nine'))();
      for (let i = 0; i < 5; i++) {
        const weak = (() => new WeakRef(label.of))();
        await collectUntil(() => weak.deref() === undefined);
        assert.strictEqual(addon.valueOf(label.of), 9);
      }
    })();
    await settled();
  });

  it('that C makes and nobody gets are released', async () => {
    await settled();
    addon.waste(100);
    await addon.wasteLater(100);
    await settled();
  });

  it('are refused by name where there is no class', () => {
    assert.strictEqual(thrownBy(() => addon.none()).code, 'EINVAL');
  });

  it('may be kept by C, in a struct or a variable, and let go', async () => {
    await settled();
    await (async () => {
      const weak = (() => {
        const point = new Point(4);
        addon.hold(point);
        return new WeakRef(point);
      })();
      await collectRounds(3);
      assert.strictEqual(addon.holding(), weak.deref());
      const other = new Point(5);
      other.keepPoint(addon.holding());
      addon.hold(null);
      await collectRounds(3);
      assert.strictEqual(other.kept(), weak.deref());
      other.keep(null);
      await collectUntil(() => weak.deref() === undefined);
    })();
    await settled();
  });

  it('are futures\' results, and co\'s', async () => {
    const at = co.gen.future(Point.atLater);
    const [first, second] = await co(function* () {
      return [yield at(1), yield Point.atLater(2)];
    });
    assert.deepStrictEqual([first.value, second.value], [1, 2]);
  });
});

describe('classes have', () => {
  it('functions and values of their own', async () => {
    assert.deepStrictEqual([Point.at.name, Point.at.length, Point.ORIGIN], ['at', 1, 0]);
    assert.deepStrictEqual(Object.keys(Point), ['ORIGIN']);
    assert.throws(() => {
      Point.ORIGIN = 1;
    }, TypeError);
    assert.strictEqual(thrownBy(() => Point.at('1')).code, 'ERR_INVALID_ARG_TYPE');
    assert.strictEqual((await errorOf(Point.atLater('1'))).code, 'ERR_INVALID_ARG_TYPE');
    class Pixel extends Point {}
    assert.strictEqual(Pixel.at(2).constructor, Point);
  });

  it('symbols of their own, and a length', () => {
    assert.deepStrictEqual([3 instanceof Ring, 4 instanceof Ring], [true, false]);
    assert.strictEqual(Ring.length(), addon.countLive());
  });

  it('setters, whose type checks what is assigned', () => {
    const point = new Point(1);
    point.step = 4;
    assert.strictEqual(point.step, 4);
    const { name, code, message } = thrownBy(() => {
      point.step = 'x';
    });
    assert.deepStrictEqual([name, code, message], ['TypeError', 'ERR_INVALID_ARG_TYPE',
      'The "Point.step" property must be of type number. Received type string (\'x\')']);
    const range = thrownBy(() => {
      point.step = 0.5;
    });
    assert.strictEqual(range.message,
      'The value of "Point.step" is out of range. It must be an integer. Received 0.5');
    assert.match(range.stack, /^RangeError .*\n.*instances\.test\.js/);
    assert.strictEqual(point.step, 4);
    const { get, set } = Object.getOwnPropertyDescriptor(Point.prototype, 'step');
    assert.deepStrictEqual([get.name, set.name, set.length], ['get step', 'set step', 1]);
  });

  it('setters whose errors are thrown, and that throw for another "this"', () => {
    const point = new Point(1);
    assert.strictEqual(thrownBy(() => {
      point.step = 0;
    }).message, 'a step of 0');
    const { set } = Object.getOwnPropertyDescriptor(Point.prototype, 'step');
    assert.strictEqual(thrownBy(() => set.call({}, 1)).code, 'ERR_INVALID_THIS');
  });

  it('setters of any type, without a getter, too', () => {
    const point = new Point(1);
    point.any = new Point(6);
    assert.strictEqual(point.value, 6);
    point.any = 3;
    assert.strictEqual(point.value, 3);
    point.range = { from: 1 };
    assert.deepStrictEqual([point.value, point.step], [1, 2]);
    assert.strictEqual(point.any, undefined);
    assert.strictEqual(thrownBy(() => {
      point.range = { from: 'x' };
    }).message, 'The "Point.range.from" property must be of type number. ' +
      'Received type string (\'x\')');
  });

  it('members that are symbols, and other names for members', () => {
    const point = new Point(0);
    assert.strictEqual(String(point), '[object point]');
    assert.deepStrictEqual([...point], [0, 1, 2]);
    assert.strictEqual(Point.prototype[Symbol.iterator], Point.prototype.values);
    assert.strictEqual(Point.prototype[Symbol.asyncIterator].name, '[Symbol.asyncIterator]');
  });

  it('toJSON, which JSON.stringify calls', () => {
    assert.strictEqual(JSON.stringify([new Point(1)]), '[{"at":1}]');
  });

  it('objects that util.inspect shows with what their getters give', () => {
    class Pixel extends Point {}
    const pixel = Object.assign(new Pixel(2), { mark: [1] });
    assert.strictEqual(inspect(pixel), 'Pixel { value: 2, step: 1, mark: [ 1 ] }');
    assert.strictEqual(inspect([[[new Point(1)]]]), '[ [ [ [Point] ] ] ]');
    assert.strictEqual(inspect(new Point(1).label('a')), `Label {
  text: 'a',
  of: Point { value: 1, step: 1 },
  broken: [Getter: <Inspection threw (EIO: i/o error, read)>]
}`);
    assert.ok(!inspect(Point.prototype).includes('value:'));
    assert.strictEqual(inspect(Object.create(Point.prototype)), 'Point {}');
    const [one, two] = [new Ring(), new Ring()];
    one.to(two);
    two.to(one);
    one.mark = two.mark = 1;
    assert.strictEqual(inspect(one, { depth: null, breakLength: Infinity }),
      'Ring { next: Ring { next: [Circular], previous: [Circular], mark: 1 }, ' +
        'previous: Ring { next: [Circular], previous: [Circular], mark: 1 }, mark: 1 }');
    class Odd extends Point {
      static name = Symbol('odd');
    }
    assert.strictEqual(inspect(new Odd(1)), 'Object { value: 1, step: 1 }');
    const own = { [inspect.custom]: () => 'own' };
    assert.strictEqual(inspect(Object.assign(new Point(1), own)), 'own');
  });

  it('memory that the collector hears of: it comes for it', async () => {
    await settled();
    let made = 0;
    // Without it nothing of this is worth a collection.
    for (; addon.countLive() === made && made < 5000; made++) {
      new Point(made).weigh(100e6);
      if (made % 10 === 0) await turns(1);
    }
    assert.ok(addon.countLive() < made, `${made} were left`);
    const point = new Point(1);
    point.weigh(64e6);
    await point.weighLater(1e6);
    for (const bytes of [-1, 2 ** 40 + 1, 2 ** 60]) {
      assert.strictEqual(thrownBy(() => point.weigh(bytes)).code, 'EINVAL');
    }
    const heavy = Array.from({ length: 20 }, (_, i) => new Point(i));
    for (const each of heavy) each.weigh(2 ** 40);
    await turns(2);
    for (const each of heavy) each.weigh(0);
    await turns(2);
    point.weigh(0);
  });
});

describe('objects of classes at the end of an environment', () => {
  it('in the middle of everything are released once', async () => {
    const source = `
      const { parentPort } = require('worker_threads');
      const { Point, hold, sameLater, valueOfLater } = require(${JSON.stringify(addonPath)});
      const points = Array.from({ length: 20 }, (_, i) => Point.at(i));
      for (const point of points) {
        sameLater(point, 1e6).catch(() => {});
        sameLater(new Point(1), 1e6).catch(() => {});
        point.selfLater(1e6).catch(() => {});
        new Point(2).selfLater(1e6).catch(() => {});
        point.keep(new Point(3));
        point.keepPoint(point);
        point.label('a').of.keep(point);
        new Point(4).weigh(1e6);
        point[Symbol.asyncIterator]().next().catch(() => {});
      }
      hold(points[0]);
      hold(null);
      parentPort.postMessage('on');`;
    await settled();
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(source, { eval: true });
      await require('node:events').once(worker, 'message');
      await worker.terminate();
      assert.strictEqual(addon.countLive(), 0);
    }
  });

  it('are released one after the other, however long the row', async () => {
    const source = `
      const { Point } = require(${JSON.stringify(addonPath)});
      globalThis.last = new Point(0);
      for (let i = 1; i < 30000; i++) {
        const next = new Point(i);
        next.keepPoint(last);
        last = next;
      }
      const [one, two] = [new Point(1), new Point(2)];
      one.keepPoint(two);
      two.keepPoint(one);
      const self = new Point(3);
      self.keepPoint(self);`;
    await settled();
    const [code] = await require('node:events').once(new Worker(source, { eval: true }), 'exit');
    assert.deepStrictEqual([code, addon.countLive()], [0, 0]);
  });

  it('that a struct released others\' holds are released, too', async () => {
    const script = `
      const { Point, hold } = require(${JSON.stringify(addonPath)});
      const point = new Point(1);
      hold(point.label('kept by a variable').of);
      point.keep(point.label('kept by its own'));
      process.on('exit', () => console.log(point.kept().text, point.value));`;
    const { code, stdout, stderr } = await runScript(script);
    assert.deepStrictEqual([code, stdout, stderr], [0, 'kept by its own 1\n', '']);
  });
});
