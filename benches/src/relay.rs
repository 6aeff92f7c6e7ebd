//! Hands bytes on between a client and a server, and looks at none of them: what one more process in between costs, which
//! `wsgi-lambda serve` is, as Lambda's front end is.
//!
//! `bench-relay FROM TO`: the ports, on loopback.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

fn main() -> Result<()> {
    let mut ports = std::env::args().skip(1).map(|port| port.parse::<u16>());
    let from = ports.next().context("which port to listen on?")??;
    let to = ports.next().context("which port to hand on to?")??;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(relay(from, to))
}

async fn relay(from: u16, to: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, from)).await?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Who is refused or hangs up sees it by its connection.
            let _ = connect(client, to).await;
        });
    }
}

async fn connect(mut client: TcpStream, to: u16) -> Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
