//! The program itself: how it starts, and how it does not.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::through::{PREFIX, get};

/// The program with these arguments and variables, and nothing of this process's own.
fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logs-gateway"));
    command
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// One that serves. It ends with this value.
struct Serving {
    child: Ended,
    url: String,
    said: Vec<String>,
    /// What it says after that: nobody may close it while it speaks.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    /// Starts it on a free port, and waits until it says where that is.
    fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let own = [("HOST", "127.0.0.1"), ("PORT", "0"), ("LOG_FORMAT", "text")];
        let mut child = Ended(
            program(args, &[variables, &own].concat())
                .spawn()
                .expect("it starts"),
        );
        let mut output = BufReader::new(child.0.stdout.take().expect("its output")).lines();
        let mut said = Vec::new();
        loop {
            let line = output.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("it ended after {said:?}"));
            let url = line.strip_prefix("listening on ").map(str::to_owned);
            said.push(line);
            if let Some(url) = url {
                return Self {
                    child,
                    url,
                    said,
                    _output: output,
                };
            }
        }
    }

    /// Asks it to stop, as a service manager does.
    fn stop(&mut self) -> std::process::ExitStatus {
        let pid = i32::try_from(self.child.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("an id"), Signal::TERM).expect("it runs");
        self.child.0.wait().expect("its end")
    }
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_mistake_is_told_at_once_and_it_does_not_start() {
    let variables = [
        ("NODE_ENV", "production"),
        ("PORT", "many"),
        ("SSE_BACKEND_URL", "https://user:s3cret@gateway"),
        ("PROXY_TOKEN", "s3cret,s3cret"),
    ];
    let Output {
        status,
        stdout,
        stderr,
    } = program(&["proxy"], &variables).output().expect("it ends");
    let told = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && stdout.is_empty(), "{status}: {told}");
    for name in ["PORT", "SSE_BACKEND_URL", "PROXY_TOKEN", "PROXY_IDENTITY"] {
        assert!(told.contains(&format!("\n  {name}: ")), "{name} in {told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn it_says_what_it_does_and_stops_when_it_is_asked_to() {
    let mut proxy = Serving::start(&["proxy"], &[("PROXY_TOKEN", "s3cret")]);
    assert!(proxy.said[0].contains("proxy, development"), "{:?}", proxy.said);
    let asked = Instant::now();
    let status = proxy.stop();
    assert!(status.success(), "{status}");
    assert!(asked.elapsed() < Duration::from_secs(5), "nothing was open");
}

/// An authority of one's own, and a certificate that it gave to this machine.
fn certificates(dir: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().expect("a key");
    let root = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters");
    let cert = params.signed_by(&key, &issuer).expect("a certificate");
    for (name, text) in [
        ("root.pem", root.pem()),
        ("cert.pem", cert.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        fs::write(dir.join(name), text).expect("room on the disk");
    }
}

#[tokio::test]
async fn a_gateway_behind_tls_is_reached_where_its_certificate_is_trusted() {
    let dir = TempDir::new().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (cert, key, root) = (path("cert.pem"), path("key.pem"), path("root.pem"));
    let gateway = Serving::start(
        &[],
        &[("TLS_CERT", &cert), ("TLS_KEY", &key), ("STORE", "memory")],
    );
    assert!(gateway.url.starts_with("https://"), "{}", gateway.url);
    let upstream = ("SSE_BACKEND_URL", gateway.url.as_str());
    let proxy = Serving::start(&["proxy"], &[upstream, ("SSL_CERT_FILE", &root)]);
    let channels = format!("{PREFIX}/channels");
    let answer = get(&format!("{}{channels}", proxy.url), &[]).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let distrustful = Serving::start(&["proxy"], &[upstream]);
    let answer = get(&format!("{}{channels}", distrustful.url), &[]).await;
    assert_eq!(answer.refusal(), (502, "upstream_unreachable".to_owned()));
}
