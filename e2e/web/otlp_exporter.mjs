// A program that logs with OpenTelemetry's SDK for Node.js. Its argument says by which exporter; where and how it sends is in
// the environment (OTEL_*). Each line of standard input is how many records it is to log; it says when they were handed over.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.MODULES}/`);
const { ROOT_CONTEXT, trace } = require("@opentelemetry/api");
const { LoggerProvider, BatchLogRecordProcessor } = require("@opentelemetry/sdk-logs");
const { resourceFromAttributes, detectResources, envDetector } = require("@opentelemetry/resources");
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${process.argv[2]}`);

const resource = resourceFromAttributes({ "host.cpus": 2 }).merge(detectResources({ detectors: [envDetector] }));
const processor = new BatchLogRecordProcessor({
  exporter: new OTLPLogExporter(),
  scheduledDelayMillis: 200,
  maxQueueSize: 100_000,
});
const provider = new LoggerProvider({ resource, processors: [processor] });
const log = provider.getLogger("shop.orders", "1.2.3");
const context = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: "5b8aa5a2d2c872e8321cf37308d69df2",
  spanId: "051581bf3cb55c13",
  traceFlags: 1,
});

let n = 0;
for await (const line of createInterface({ input: process.stdin })) {
  for (let count = Number(line); count > 0; count -= 1, n += 1) {
    log.emit({
      context,
      severityNumber: (n % 24) + 1,
      severityText: n % 24 === 20 ? "CRITICAL" : undefined,
      timestamp: 1758796200000 + n,
      body: n % 10 === 3 ? { said: `record ${n} ✓`, list: [n, null] } : `record ${n} ✓`,
      eventName: n % 10 === 4 ? "order.placed" : undefined,
      exception: n % 50 === 7 ? new TypeError(`no ${n}`) : undefined,
      attributes: {
        n,
        big: 9007199254740991,
        share: n + 0.5,
        even: n % 2 === 0,
        customer: `Zoë "${n}"\n☃`,
        tags: ["a", "b", String(n)],
        order: { id: n, lines: [{ sku: "x" }, { sku: "y" }], nothing: null },
        raw: new Uint8Array([0, 255]),
      },
    });
  }
  await provider.forceFlush();
  console.log("handed over", n);
}
await provider.shutdown();
