// Keeps a script within its time: the engine looks at the clock between steps of a script, not inside a built-in.
//
// A built-in that walks a list or text of length n costs n units here; each million of units makes the engine look at
// the clock. One call that could take seconds (an array of 4 billion holes) is refused with a RangeError.
(function () {
  'use strict';

  const LONGEST = 1000000;
  const LONGEST_SORTED = 200000;
  const SEARCH = 100000000;
  const UNITS = 1000000;
  const STEPS_BETWEEN_LOOKS = 10000;

  const isArray = Array.isArray;
  const apply = Reflect.apply;
  const describe = Reflect.getOwnPropertyDescriptor;
  const parent = Reflect.getPrototypeOf;
  const define = Reflect.defineProperty;
  const names = Reflect.ownKeys;
  const isView = ArrayBuffer.isView;
  const text = String;
  const TooLong = RangeError;

  let spent = 0;

  function charge(units) {
    spent += units;
    if (spent > UNITS) {
      spent = 0;
      for (let i = 0; i < STEPS_BETWEEN_LOOKS; i++);
    }
  }

  function refuse(what, length, limit) {
    throw new TooLong(what + ' of length ' + length + ': more than ' + limit + ' are not taken here');
  }

  // The length a built-in will read from `list`, which no getter may change in between.
  function lengthOf(list) {
    if (isArray(list) || typeof list === 'string') return list.length;
    if (list === null || typeof list !== 'object' && typeof list !== 'function') return 0;
    if (isView(list)) return list.length;
    for (let at = list; at !== null; at = parent(at)) {
      const found = describe(at, 'length');
      if (found !== undefined) {
        if (found.get !== undefined) throw new TypeError('the length of a list must not be a getter');
        return +found.value || 0;
      }
    }
    return 0;
  }

  function bounded(list, limit) {
    const length = lengthOf(list);
    if (length > limit) refuse('a list', length, limit);
    charge(length);
  }

  function replace(owner, name, make) {
    const native = owner[name];
    if (typeof native !== 'function') return;
    const made = make(native);
    define(made, 'name', {value: native.name});
    define(made, 'length', {value: native.length});
    define(owner, name, {value: made, writable: true, configurable: true, enumerable: false});
  }

  const lazy = ['constructor', 'keys', 'values', 'entries'];
  for (const name of names(Array.prototype)) {
    if (typeof name === 'symbol' || lazy.includes(name) || typeof Array.prototype[name] !== 'function') continue;
    replace(Array.prototype, name, native => function (...given) {
      bounded(this, LONGEST);
      return apply(native, this, given);
    });
  }
  for (const name of ['sort', 'toSorted']) {
    replace(Array.prototype, name, native => function (order) {
      bounded(this, order === undefined ? LONGEST_SORTED : LONGEST);
      return apply(native, this, [order]);
    });
  }
  replace(Array.prototype, 'concat', native => function (...given) {
    for (const one of given) bounded(one, LONGEST);
    return apply(native, this, given);
  });
  replace(Array.prototype, 'flat', () => function (depth = 1) {
    const flat = [];
    (function put(list, left) {
      for (const item of list) {
        if (isArray(item) && left > 0) put(item, left - 1);
        else if (item !== undefined) flat[flat.length] = item;
      }
    })(this, +depth || 0);
    return flat;
  });
  replace(Array, 'from', native => function (items, ...rest) {
    if (items !== null && items !== undefined && items[Symbol.iterator] === undefined) bounded(items, LONGEST);
    return apply(native, this, [items, ...rest]);
  });
  replace(String, 'raw', native => function (strings, ...rest) {
    bounded(strings.raw, LONGEST);
    return apply(native, this, [strings, ...rest]);
  });

  const typed = parent(Int8Array.prototype);
  for (const name of names(typed)) {
    const found = describe(typed, name);
    if (typeof name === 'symbol' || lazy.includes(name) || typeof found.value !== 'function') continue;
    const limit = name === 'sort' || name === 'toSorted' ? LONGEST_SORTED : Infinity;
    replace(typed, name, native => function (...given) {
      bounded(this, limit);
      for (const one of given) charge(lengthOf(one));
      return apply(native, this, given);
    });
  }

  // Searching for text takes up to the product of both lengths.
  const searching = ['indexOf', 'lastIndexOf', 'includes', 'split', 'replace', 'replaceAll'];
  for (const name of names(String.prototype)) {
    if (typeof name === 'symbol' || name === 'constructor' || typeof String.prototype[name] !== 'function') continue;
    const searches = searching.includes(name);
    if (name === 'charAt' || name === 'charCodeAt' || name === 'codePointAt' || name === 'toString') continue;
    replace(String.prototype, name, native => function (...given) {
      const self = typeof this === 'string' || this === null || this === undefined ? this : text(this);
      if (self !== null && self !== undefined) {
        charge(self.length);
        const sought = given[0];
        if (searches && sought !== undefined) {
          if (typeof sought !== 'string' && !(sought instanceof RegExp)) given[0] = text(sought);
          if (typeof given[0] === 'string' && self.length * given[0].length > SEARCH) {
            refuse('a search in a text', self.length, SEARCH + ' comparisons');
          }
        }
      }
      return apply(native, self, given);
    });
  }
  replace(RegExp.prototype, 'exec', native => function (given) {
    const searched = text(given);
    const start = this.global || this.sticky ? this.lastIndex : 0;
    const found = apply(native, this, [searched]);
    charge((found === null ? searched.length : found.index + found[0].length) - start);
    return found;
  });
  replace(JSON, 'parse', native => function (given, ...rest) {
    const json = text(given);
    charge(json.length);
    return apply(native, this, [json, ...rest]);
  });
  replace(JSON, 'stringify', native => function (...given) {
    const json = apply(native, this, given);
    if (json !== undefined) charge(json.length);
    return json;
  });

  // These wait, or walk without end, where nothing can stop them.
  for (const name of ['Atomics', 'SharedArrayBuffer', 'Proxy']) delete globalThis[name];
  delete Iterator.prototype.drop;
})();
