//! The accept loop: TLS, a bound for connections, a time for headers. (axum's own `serve` has no
//! header timer, and takes connections without end.)

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Bounds of a service's connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most connections.
    pub connections: usize,
    /// Most connections of one address.
    pub of_one_address: usize,
    /// How long the headers of a request may take, and how long a connection may be idle.
    pub headers: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long what is under way may go on when the service stops.
    pub stopping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            of_one_address: 64,
            headers: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
            stopping: Duration::from_secs(20),
        }
    }
}

/// Who is at the other end of a connection: an extension of each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Ends a service: kept by whoever may stop it.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// A service that goes on until this is told to stop it.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Ends it: nothing more is taken, and what is under way is finished.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// Returns when it is to end.
    pub async fn wait(&self) {
        // The sender lives as long as this: it is never closed before.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// The open connections of each address.
type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One open connection, counted while it lives.
struct Counted {
    open: Open,
    peer: IpAddr,
}

impl Counted {
    /// `None` where there are as many as may be.
    fn take(open: &Open, peer: IpAddr, limits: &Limits) -> Option<Self> {
        let mut counts = open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let own = counts.entry(peer).or_default();
        if all >= limits.connections || *own >= limits.of_one_address {
            if *own == 0 {
                counts.remove(&peer);
            }
            return None;
        }
        *own += 1;
        Some(Self { open: Arc::clone(open), peer })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    open: Open,
}

impl Listener {
    /// Listens on this address; with TLS where there are settings for it.
    ///
    /// # Errors
    /// The address is in use, or not this machine's.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>, limits: Limits) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, tls, limits, open: Open::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers until it is told to stop; then finishes what is under way.
    pub async fn serve(self, routes: Router, stop: &Stop) {
        let graceful = GracefulShutdown::new();
        let acceptor = self.tls.clone().map(TlsAcceptor::from);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(_) => {
                        // Out of file descriptors, or a connection that was gone: not for ever.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = stop.wait() => break,
            };
            let Some(counted) = Counted::take(&self.open, peer.ip(), &self.limits) else { continue };
            let (limits, routes, acceptor, watcher) =
                (self.limits, routes.clone(), acceptor.clone(), graceful.watcher());
            tokio::spawn(async move {
                let peer = counted.peer;
                match acceptor {
                    None => speak(stream, peer, routes, limits, watcher).await,
                    Some(acceptor) => {
                        let shaken = tokio::time::timeout(limits.handshake, acceptor.accept(stream)).await;
                        if let Ok(Ok(stream)) = shaken {
                            speak(stream, peer, routes, limits, watcher).await;
                        }
                    }
                }
                drop(counted);
            });
        }
        drop(self.socket);
        // What takes longer is cut off.
        let _ = tokio::time::timeout(self.limits.stopping, graceful.shutdown()).await;
    }
}

/// Speaks HTTP/1.1 over one connection.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    routes: Router,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        routes.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away in the middle is no fault of ours.
    let _ = watcher.watch(connection).await;
}
