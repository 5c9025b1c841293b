// What a script sees of an event, and how its changes go back. Evaluates to {start, BigDecimal}.
//
// `start(columns, firstOwnLine, longest)` takes [name, type] of each column, in order; the types are those of
// snowetl/model/fields.py. It returns the function that runs one event: JSON in (the texts of the columns, "" for null,
// 0 for empty text, 1 for a column the script never mentions), JSON out: [changes, erased, dropped, result, error,
// where, printed], or null for nothing.
(function () {
  'use strict';

  const {parse, stringify, rawJSON} = JSON;
  const {defineProperty, create, preventExtensions} = Object;
  const {fround, trunc} = Math;
  const {isFinite: finite} = Number;
  const number = Number;
  const text = String;
  const Failure = TypeError;

  const NULL = '';
  const EMPTY = 0;
  const UNMENTIONED = 1;

  let cells, changes, erased, dropped, printed;

  // java.math.BigDecimal: an unscaled integer and how many of its digits are decimals; the text is kept as it came.
  class BigDecimal {
    #text;
    constructor(given) {
      const made = given instanceof BigDecimal ? given.toString() : text(given).trim();
      if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(made)) throw new Failure('no number: ' + made);
      this.#text = made;
    }
    static valueOf(given) { return new BigDecimal(given); }
    static #of(unscaled, scale) {
      const sign = unscaled < 0n ? '-' : '';
      const digits = text(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
      return new BigDecimal(sign + (scale ? digits.slice(0, -scale) + '.' + digits.slice(-scale) : digits));
    }
    #parts() {
      const [, sign, whole, decimals = '', power = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(this.#text);
      const scale = decimals.length - number(power);
      if (Math.abs(scale) > 10000) throw new RangeError('a number with more than 10000 digits');
      const zeros = scale < 0 ? '0'.repeat(-scale) : '';
      return [BigInt((sign === '-' ? '-' : '') + (whole + decimals || '0') + zeros), scale < 0 ? 0 : scale];
    }
    #with(other, operation) {
      const [a, i] = this.#parts();
      const [b, j] = new BigDecimal(other).#parts();
      const scale = i > j ? i : j;
      return [operation(a * 10n ** BigInt(scale - i), b * 10n ** BigInt(scale - j)), scale];
    }
    add(other) { return BigDecimal.#of(...this.#with(other, (a, b) => a + b)); }
    subtract(other) { return BigDecimal.#of(...this.#with(other, (a, b) => a - b)); }
    multiply(other) {
      const [a, i] = this.#parts();
      const [b, j] = new BigDecimal(other).#parts();
      return BigDecimal.#of(a * b, i + j);
    }
    negate() { const [a, i] = this.#parts(); return BigDecimal.#of(-a, i); }
    abs() { return this.signum() < 0 ? this.negate() : this; }
    signum() { const [a] = this.#parts(); return a < 0n ? -1 : a > 0n ? 1 : 0; }
    scale() { return this.#parts()[1]; }
    compareTo(other) { return this.#with(other, (a, b) => a < b ? -1 : a > b ? 1 : 0)[0]; }
    equals(other) {
      return other instanceof BigDecimal && other.scale() === this.scale() && this.compareTo(other) === 0;
    }
    intValue() { return trunc(number(this.#text)) | 0; }
    longValue() { return trunc(number(this.#text)); }
    doubleValue() { return number(this.#text); }
    floatValue() { return fround(number(this.#text)); }
    toString() { return this.#text; }
    toPlainString() { const [a, i] = this.#parts(); return BigDecimal.#of(a, i).toString(); }
    valueOf() { return number(this.#text); }
    toJSON() { return rawJSON(this.#text.replace(/^\+/, '').replace(/^(-?)\./, '$10.').replace(/\.(?=$|[eE])/, '')); }
  }

  // --- types of columns: how a text is read, and what a value that is set becomes -------------------------------

  function toText(value) { return value === null ? null : text(value); }

  function toNumber(value, column) {
    if (value === null || value === undefined) return null;
    const made = typeof value === 'boolean' ? number(value) : typeof value === 'string' && value.trim() === '' ? NaN : number(value);
    if (!finite(made)) throw new Failure(column + ' takes a number, not ' + text(value));
    return made;
  }

  function toInteger(value, column) {
    const made = toNumber(value, column);
    if (made === null) return null;
    if (made >= 2147483648 || made <= -2147483649) throw new Failure(column + ' takes an integer of 32 bits, not ' + text(value));
    return text(trunc(made) | 0);
  }

  function toByte(value, column) {
    const made = toInteger(value, column);
    if (made !== null && made !== '0' && made !== '1') throw new Failure(column + ' takes 1 or 0, not ' + text(value));
    return made;
  }

  function toFloat(value, column) {
    const made = toNumber(value, column);
    if (made !== null && !finite(fround(made))) throw new Failure(column + ' takes a float of 32 bits, not ' + text(value));
    return made;
  }

  function toDecimal(value, column) {
    if (value instanceof BigDecimal) return value.toString();
    const made = toNumber(value, column);
    return made === null ? null : typeof value === 'string' ? value.trim() : text(made);
  }

  const TYPES = {
    str: [value => value, toText],
    ts: [value => value, toText],
    json: [value => value, toText],
    int: [number, toInteger],
    bool: [number, toByte],
    float: [value => fround(number(value)), toFloat],
    dec: [value => new BigDecimal(value), toDecimal],
  };

  // --- the event ------------------------------------------------------------------------------------------------

  function Event() { preventExtensions(this); }
  const shared = Event.prototype;

  function hidden(name, value) { defineProperty(shared, name, {value, writable: true, configurable: true}); }

  function accessors(name, type, at) {
    const [read, write] = TYPES[type];
    const suffix = name[0].toUpperCase() + name.slice(1);
    const get = {['get' + suffix]() {
      const cell = cells[at];
      if (cell === NULL) return null;
      if (cell === EMPTY) return '';
      if (cell === UNMENTIONED) {
        throw new Failure(name + ' was asked for by a name put together: write "' + name + '" anywhere in the script');
      }
      return read(cell);
    }}['get' + suffix];
    const set = {['set' + suffix](value) {
      const made = write(value, name);
      changes[changes.length] = at;
      changes[changes.length] = made;
      cells[at] = made === null ? NULL : made === '' ? EMPTY : typeof made === 'number' ? text(made) : made;
    }}['set' + suffix];
    hidden('get' + suffix, get);
    hidden('set' + suffix, set);
    defineProperty(shared, name, {get, set, enumerable: true, configurable: true});
  }

  hidden('drop', function drop() { dropped = true; });
  hidden('toString', function toString() { return 'EnrichedEvent'; });

  function print(...given) {
    if (printed !== null && printed.length < 1000) printed.push(given.map(text).join(' ').slice(0, 10000));
  }

  // --- one event ------------------------------------------------------------------------------------------------

  // Line and column in the script; frames of these files lie beyond `firstOwnLine`.
  function placeOf(error, firstOwnLine) {
    const stack = error !== null && typeof error === 'object' ? text(error.stack) : '';
    for (const [, line, column] of stack.matchAll(/:(\d+):(\d+)\)?$/gm)) {
      if (number(line) < firstOwnLine) return [number(line), number(column)];
    }
    return null;
  }

  function describe(error) {
    if (error instanceof Error) return error.name + ': ' + error.message;
    if (error !== null && typeof error === 'object') {
      const shown = stringify(error);
      return shown === undefined ? text(error) : shown;
    }
    return text(error);
  }

  function start(columns, firstOwnLine, longest) {
    const derivedAt = columns.findIndex(([name]) => name === 'derived_contexts');
    columns.forEach(([name, type], at) => accessors(name, type, at));
    hidden('eraseDerived_contexts', function eraseDerived_contexts() {
      erased = true;
      cells[derivedAt] = NULL;
    });
    globalThis.print = print;
    const console = create(null);
    for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = print;
    globalThis.console = console;

    return function run(process, given, parameters, headers, keepsPrinted) {
      cells = parse(given);
      changes = [];
      erased = dropped = false;
      printed = keepsPrinted ? [] : null;
      let result, error = null, where = null;
      try {
        result = stringify(headers === null
          ? process(new Event(), parameters)
          : process(new Event(), parameters, parse(headers)));
      } catch (thrown) {
        where = placeOf(thrown, firstOwnLine);
        try { error = describe(thrown); } catch { error = 'something that cannot be printed'; }
      }
      if (result === 'null') result = undefined;
      if (changes.length === 0 && result === undefined && error === null && !erased && !dropped && !keepsPrinted) return null;
      const told = stringify([changes, erased, dropped, result === undefined ? null : result, error, where, printed]);
      if (told.length > longest) {
        return stringify([[], false, dropped, null, 'the output of the script is longer than ' + longest + ' characters', null, printed]);
      }
      return told;
    };
  }

  return {start, BigDecimal};
})();
