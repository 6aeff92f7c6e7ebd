//! The envelope of VPC Lattice: one value per header (docs, "Lambda functions as targets in VPC Lattice").

use bytes::Bytes;

use super::envelope::{Posted, Scalars, malformed};
use super::finish;
use crate::gateway::values::{ClientRequest, ClientResponse, Fault};

pub(super) fn response(posted: &Bytes, request: &ClientRequest) -> Result<ClientResponse, Fault> {
    let members = Posted::object(posted)?;
    let status = members.status()?.ok_or_else(|| malformed("there is no `statusCode`".to_owned()))?;
    let headers = members.headers("headers", Scalars::Strings)?;
    let body = members.body(false)?;
    Ok(finish::whole(status, headers, body, request, None))
}
