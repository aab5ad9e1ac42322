//! What to change, for whoever stands at a hop.

use super::party::Party;

/// That the stream goes on as it comes.
pub(super) fn unbuffered(party: Party) -> &'static str {
    match party {
        Party::Nginx => {
            "nginx: `proxy_buffering off;` in the stream's location, no `proxy_ignore_headers X-Accel-Buffering`, no `proxy_cache`"
        }
        Party::Apache => {
            "Apache: `ProxyPass … flushpackets=on` for the stream's path, and no `mod_deflate`, `mod_cache` or `mod_security` \
             response buffer over it"
        }
        Party::HaProxy => {
            "HAProxy: no `option http-buffer-response` and no `compression` in the stream's backend"
        }
        Party::Cloudflare => {
            "Cloudflare: a configuration or page rule for the stream's path without response buffering, Rocket Loader and \
             transforms, with caching set to bypass"
        }
        Party::Aws => {
            "AWS: no API Gateway and no Lambda function in front of the stream, which both wait for the whole answer; an ALB passes it on"
        }
        Party::Envoy => "Envoy: no `envoy.filters.http.buffer` and no compressor on the stream's route",
        Party::Caddy => "Caddy: `reverse_proxy { flush_interval -1 }` for the stream's path",
        Party::Express => {
            "Express: `response.flushHeaders()` and a plain `pipe`, and no `compression()` before the stream's route"
        }
        Party::Unknown => {
            "look for response buffering in what is in front of the gateway: `proxy_buffering off;` (nginx), `flushpackets=on` \
             (Apache), no `option http-buffer-response` (HAProxy); ask each hop with --via to see which one it is"
        }
    }
}

/// That nobody packs the stream.
pub(super) fn uncompressed(party: Party) -> &'static str {
    match party {
        Party::Nginx => {
            "nginx: `gzip off;` in the stream's location, or `text/event-stream` out of `gzip_types` (`*` is everything)"
        }
        Party::Apache => "Apache: `SetEnv no-gzip 1` in the stream's `<Location>`",
        Party::HaProxy => "HAProxy: take `text/event-stream` out of `compression type`",
        Party::Cloudflare => "Cloudflare: a compression rule that is off for `text/event-stream`",
        Party::Envoy => "Envoy: take `text/event-stream` out of the compressor's `content_type`",
        Party::Caddy => "Caddy: `encode` with a matcher that leaves the stream's path out",
        Party::Express => {
            "Express: `compression({ filter })` that leaves `text/event-stream` out, or no compression on this route"
        }
        Party::Aws | Party::Unknown => {
            "turn compression off for `text/event-stream` in what is in front of the gateway"
        }
    }
}

/// That a silent stream is kept for longer than this.
pub(super) fn patient(party: Party, heartbeat_s: u64) -> String {
    let enough = (heartbeat_s * 5).max(75);
    match party {
        Party::Nginx => format!(
            "nginx: `proxy_read_timeout {enough}s;` in the stream's location, and `send_timeout` no shorter"
        ),
        Party::Apache => {
            format!("Apache: `ProxyPass … timeout={enough}`, and `ProxyTimeout` and `Timeout` no shorter")
        }
        Party::HaProxy => format!(
            "HAProxy: `timeout server {enough}s`, `timeout client {enough}s` and `timeout tunnel {enough}s`"
        ),
        Party::Cloudflare => {
            "Cloudflare ends what is silent for 100 s; a shorter cut is of what is behind it, or of a Worker"
                .to_owned()
        }
        Party::Aws => format!("AWS: the load balancer's attribute `idle_timeout.timeout_seconds={enough}`"),
        Party::Envoy => format!("Envoy: `timeout: 0s` and `idle_timeout: {enough}s` on the stream's route"),
        Party::Caddy => format!(
            "Caddy: `reverse_proxy {{ transport http {{ read_timeout {enough}s }} }}`, `stream_timeout` 0"
        ),
        Party::Express => format!(
            "Express: no timeout below {enough} s on the upstream request (`request.setTimeout`) and none on the socket"
        ),
        Party::Unknown => format!(
            "raise the read or idle timeout of what is in front of the gateway to {enough} s, or lower HEARTBEAT_MS of the gateway"
        ),
    }
}

/// That an answer may last.
pub(super) fn lasting(party: Party) -> &'static str {
    match party {
        Party::Envoy => "Envoy: `timeout: 0s` and no `max_stream_duration` on the stream's route",
        Party::HaProxy => {
            "HAProxy: `timeout tunnel 1h`, and no `http-request set-timeout` on the stream's path"
        }
        Party::Cloudflare | Party::Aws => {
            "a function or Worker in the way ends its answers after a fixed time: lead the stream past it"
        }
        _ => {
            "look for a limit to a whole answer's time in what is in front of the gateway (request timeout, function timeout, maximum duration)"
        }
    }
}

/// That the header with the cursor goes on.
pub(super) fn with_last_event_id(party: Party) -> &'static str {
    match party {
        Party::Nginx => {
            "nginx: no `proxy_set_header Last-Event-ID \"\";` and no `proxy_pass_request_headers off;` on the stream's location"
        }
        Party::Apache => "Apache: no `RequestHeader unset Last-Event-ID`",
        Party::HaProxy => "HAProxy: no `http-request del-header` that takes Last-Event-ID",
        Party::Express => "Express: pass `last-event-id` of the browser's request on to the gateway",
        _ => "let the request header Last-Event-ID through to the gateway",
    }
}

/// That the query goes on.
pub(super) const WITH_QUERY: &str = "let the whole query through to the gateway: a page that changes its stream comes back with `last_event_id` in it";

/// That streams can be changed.
pub(super) fn with_patch(party: Party) -> &'static str {
    match party {
        Party::Nginx => {
            "nginx: `limit_except GET PATCH { deny all; }`, and a location that covers `streams/` beside `stream`"
        }
        Party::Apache => {
            "Apache: `PATCH` in the `<LimitExcept>` or `Require method` of the path, and a ProxyPass that covers `streams/`"
        }
        Party::HaProxy => "HAProxy: `PATCH` in the ACL of methods, and a rule that covers `streams/`",
        Party::Cloudflare | Party::Aws => {
            "the firewall's rule of methods: allow PATCH below the stream's path"
        }
        Party::Express => "Express: `app.patch('…/streams/:id', …)` beside `app.get('…/stream', …)`",
        _ => {
            "allow PATCH on `streams/{id}` beside the stream; until then pages open a new stream for each change"
        }
    }
}

/// That long requests are taken.
pub(super) fn with_room(party: Party) -> &'static str {
    match party {
        Party::Nginx => "nginx: `large_client_header_buffers 4 16k;` in the server block",
        Party::Apache => "Apache: `LimitRequestLine 16384` and `LimitRequestFieldSize 16384`",
        Party::HaProxy => "HAProxy: `tune.bufsize 32768` in `global`",
        Party::Express => "Node.js: `node --max-http-header-size=32768`",
        _ => "allow 16 KiB for an address and for a header: a token and many channels are long",
    }
}

/// That there is room for more streams.
pub(super) fn with_streams(party: Party) -> &'static str {
    match party {
        Party::Nginx => {
            "nginx: a larger `limit_conn` (and `limit_req`) on the stream's location, or none; `worker_connections` for two a stream"
        }
        Party::Apache => "Apache: `mpm_event`, and `MaxRequestWorkers` for one a stream",
        Party::HaProxy => "HAProxy: a larger `maxconn` of server, frontend and global",
        Party::Cloudflare => "Cloudflare: the rate limiting rule of the stream's path",
        _ => "raise the limit of connections of one address in what is in front of the gateway",
    }
}

/// That the headers of CORS are the gateway's.
pub(super) fn with_cors(party: Party, origin: &str) -> String {
    let gateway = format!("the gateway: ALLOWED_ORIGINS has to have {origin}");
    match party {
        Party::Unknown => gateway,
        Party::Nginx => format!(
            "{gateway}; nginx: no `proxy_hide_header Access-Control-Allow-Origin;`, and no `add_header` of it either"
        ),
        Party::Apache => format!(
            "{gateway}; Apache: no `Header unset Access-Control-Allow-Origin`, and no `Header set` of it either"
        ),
        other => format!(
            "{gateway}; {}: Access-Control-* goes through as the gateway sends it",
            other.or_somebody()
        ),
    }
}
