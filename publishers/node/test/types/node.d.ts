// As much of Node.js's types as ours name: the packages that hold them are not among those that the tests have.
declare module 'node:stream' {
  export class Writable {
    constructor(options?: object);
    end(): this;
  }
}
declare module 'stream' {
  export { Writable } from 'node:stream';
}
declare class URL {
  constructor(text: string);
}
