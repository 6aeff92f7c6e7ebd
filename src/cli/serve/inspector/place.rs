//! Where the inspector listens: on this machine alone.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::super::options::Options;
use crate::cli::failure::Failure;

/// Its port, if nobody names one.
const PORT: u16 = 8100;

/// Takes a port for the inspector; `None` if there is to be none.
pub(in crate::cli::serve) async fn bind(options: &Options) -> Result<Option<TcpListener>, Failure> {
    if options.no_inspector {
        return Ok(None);
    }
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match (options.inspector_port, options.port) {
        (Some(port), _) => listen(port).await.map_err(|error| cannot_listen(port, &error))?,
        // Who asks for a free port runs several at once.
        (None, 0) => listen(0).await.map_err(|error| cannot_listen(0, &error))?,
        (None, _) => match listen(PORT).await {
            Ok(listener) => listener,
            Err(_) => listen(0).await.map_err(|error| cannot_listen(PORT, &error))?,
        },
    };
    Ok(Some(listener))
}

fn cannot_listen(port: u16, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "it is taken; a free one is --inspector-port 0".to_owned(),
        io::ErrorKind::PermissionDenied => format!("{error}; ports below 1024 are root's: --inspector-port 0"),
        _ => error.to_string(),
    };
    Failure::Failed(format!("cannot listen on 127.0.0.1:{port} for the inspector: {advice}"))
}
