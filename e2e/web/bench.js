// Measures a viewer's frames. What is drawn is asked for by the page's own clock, not by the driver's.

// What WebAssembly has is not in the browser's own figures.
let memory = null;
for (const name of ['instantiate', 'instantiateStreaming']) {
  const real = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const made = await real(...args);
    memory = (made.instance ?? made).exports.memory ?? memory;
    return made;
  };
}

const widget = document.createElement('logs-widget');
const query = new URLSearchParams(location.search);
widget.setAttribute('channels', query.get('channels'));
widget.setAttribute('max-logs', query.get('max-logs'));
document.body.append(widget);

let frames = [];
let newest = '';
let isMeasuring = false;
let last = 0;

function frame(now) {
  if (isMeasuring) frames.push(now - last);
  last = now;
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
widget.addEventListener('logs-record', ({ detail }) => {
  newest = detail.records.at(-1).id;
});

window.bench = {
  newest: () => newest,
  status: () => widget.status,
  wasmBytes: () => memory.buffer.byteLength,
  start() {
    frames = [];
    isMeasuring = true;
  },
  stop() {
    isMeasuring = false;
    return frames;
  },
  // Goes through the list, so many pixels a frame; its end is told by `isScrolling`.
  scroll(pixels) {
    const list = widget.shadowRoot.querySelector('.logs-list');
    window.isScrolling = true;
    const step = () => {
      const before = list.scrollTop;
      list.scrollTop += pixels;
      window.isScrolling = list.scrollTop !== before;
      if (window.isScrolling) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  },
  height: () => widget.shadowRoot.querySelector('.logs-list').scrollHeight,
};
