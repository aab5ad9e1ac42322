'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const vm = require('node:vm');

const { record, said } = require('../lib/record.js');

/** @param {any} logData */
const written = (logData) => JSON.parse(/** @type {any} */ (record('logs:a:b', logData, 1)).line).logData;
/** @param {any} value */
const field = (value) => written({ message: 'm', value, timestamp: 1 }).value;
const throwing = () => {
  throw new Error('no');
};

test('what JSON knows stays what it is', () => {
  const value = { a: [1, 'two', 3.5, null, true, { b: {} }], 'key "q"': 'línea\n🚀\u0000', large: 9007199254740991 };
  assert.deepEqual(field(value), value);
});

test('what JSON has no word for is a text', () => {
  const cases = /** @type {[any, any][]} */ ([
    [12345678901234567890n, '12345678901234567890'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [Symbol('s'), 'Symbol(s)'],
    [throwing, '[function throwing]'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), 'Invalid Date'],
    [/a+/g, '/a+/g'],
    [new Map([['a', new Set([1n])]]), { a: ['1'] }],
    [Buffer.from('hi'), '[Buffer of 2 bytes: 6869]'],
    [new Uint16Array(2), '[Uint16Array of 4 bytes: 00000000]'],
    [Promise.resolve(), '[Promise]'],
    [Object('boxed'), 'boxed'],
    [new URL('http://a/b'), 'http://a/b'],
    [new URLSearchParams('a=1'), 'a=1'],
    [[undefined, , throwing], [null, null, '[function throwing]']],
    [Object.create(null, { a: { value: 1n, enumerable: true } }), { a: '1' }],
  ]);
  for (const [value, text] of cases) assert.deepEqual(field(value), text);
  assert.equal('value' in written({ message: 'm', value: undefined }), false);
});

test('what cannot be read costs only itself', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const bad = { ok: 1, toJSON: throwing };
  const value = { ok: 1, get bad() { return throwing(); }, revoked: revoked.proxy, json: bad, trap: new Proxy({}, { ownKeys: throwing }) };
  assert.deepEqual(field(value), { ok: 1, bad: '[unreadable]', revoked: '[unreadable]', json: '[unreadable]', trap: '[unreadable]' });
  for (const whole of [revoked.proxy, new Proxy({}, { get: throwing }), { get level() { return throwing(); } }]) assert.ok(written(whole));
});

test('a cycle is said, and what is only there twice is written twice', () => {
  const twice = { a: 1n };
  /** @type {any} */
  const value = { one: twice, two: twice };
  value.self = value;
  value.list = [value];
  assert.deepEqual(field(value), { one: { a: '1' }, two: { a: '1' }, self: '[circular]', list: ['[circular]'] });
});

test('an error has type, message, stack and cause, in whatever realm it was made', () => {
  const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1', socket: new (class Socket {})(), more: { a: 1 } });
  const { stack, cause, ...others } = field(error);
  assert.match(stack, /TypeError: outer\n/);
  assert.equal(cause.message, 'inner');
  assert.deepEqual(others, { type: 'TypeError', message: 'outer', code: 'E1', socket: '[Socket]', more: { a: 1 } });
  assert.equal(field(vm.runInNewContext('new RangeError("far")')).type, 'RangeError');
  assert.equal(written(new Error('alone')).level, 'ERROR');
  assert.equal(field(new AggregateError([new Error('one')], 'all')).errors[0].message, 'one');
});

test('half a character is replaced, and a backslash is none', () => {
  assert.deepEqual(field(['\ud83d', 'a\udc00b', '🚀', '\\ud83d', '\\\ud83d']), ['\ufffd', 'a\ufffdb', '🚀', '\\ud83d', '\\\ufffd']);
});

test('deep nesting ends', () => {
  /** @type {any} */
  let deep = 'end';
  for (let depth = 0; depth < 100_000; depth += 1) deep = { deep };
  assert.match(JSON.stringify(field(deep)), /\[too deep\]/);
});

test('what is too large costs next to nothing', () => {
  const huge = 'x'.repeat(200_000_000);
  const wide = Array.from({ length: 1_000_000 }, () => ({}));
  const all = [huge, { message: huge }, { a: { b: [huge] } }, { n: 1n, huge }, { wide }, { n: 1n, wide }, { ['k'.repeat(1_000_000)]: 1 }];
  const start = performance.now();
  for (const logData of all) {
    assert.deepEqual(record('logs:a:b', logData, 1), { tooLarge: true, rank: 2 });
  }
  assert.ok(performance.now() - start < 500);
  assert.equal(/** @type {any} */ (record('logs:a:b', '\u0001'.repeat(200_000), 1)).tooLarge, true);
});

test('anything is a record', () => {
  for (const [logData, message] of /** @type {[any, string][]} */ ([['a text', 'a text'], [undefined, 'undefined'], [null, 'null'], [7, '7'], [1n, '1'], [Symbol('s'), 'Symbol(s)']])) {
    assert.equal(written(logData).message, message);
  }
  assert.equal(written(new Map([['message', 'mapped']])).message, 'mapped');
  assert.equal(written(new Date(0)).message, '1970-01-01T00:00:00.000Z');
  assert.equal(written({ toJSON: () => 'other' }).message, 'other');
  assert.equal(JSON.parse(/** @type {any} */ (record('logs:a:b', JSON.parse('{"__proto__": {"a": 1}, "n": 1}'), 1)).line).logData.n, 1);
});

test('a record has the time of its call unless it has its own', () => {
  const before = Date.now();
  for (const logData of ['m', {}, { timestamp: null }, { timestamp: undefined }]) assert.ok(written(logData).timestamp >= before);
  assert.equal(written({ timestamp: 5 }).timestamp, 5);
  assert.equal(written({ timestamp: new Date(0) }).timestamp, '1970-01-01T00:00:00.000Z');
});

test('a message goes with fields of any kind', () => {
  assert.deepEqual(said('m', 'WARN', { rows: 1, level: 'x' }), { rows: 1, level: 'WARN', message: 'm' });
  assert.deepEqual(said('m', 'WARN', 7), { level: 'WARN', message: 'm', value: 7 });
  assert.equal(said('m', 'ERROR', new Error('why')).error.message, 'why');
  assert.equal(said(new Error('why'), 'ERROR', { rows: 1 }).message, 'Error: why');
  assert.equal(written(said('m', 'INFO', { get bad() { return throwing(); }, ok: 1 })).value.ok, 1);
});
