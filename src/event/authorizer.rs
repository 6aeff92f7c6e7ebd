//! Who the caller is, from what the front end verified: never from a header.

use std::borrow::Cow;

use crate::event::Event;
use crate::event::fields::Fields;
use crate::request::{ClientCert, FrontEnd, User};

/// IAM first, then a verified token's claim, then a Lambda authorizer's principal.
pub(super) fn user<'e>(event: &Event<'e>, claim: &str) -> Option<User<'e>> {
    let authorizer = event.context.object("authorizer");
    let identity = &event.identity;
    // HTTP APIs have JWT authorizers only; in payload 1.0 their claims stand where REST's Cognito claims do.
    let claims_of = if event.front_end == FrontEnd::HttpApiV1 { "JWT" } else { "COGNITO_USER_POOLS" };
    let found = |name: Option<Cow<'e, [u8]>>, auth_type| {
        name.filter(|name| !name.is_empty()).map(|name| User { name, auth_type })
    };
    found(authorizer.object("iam").text("userArn"), "AWS_IAM")
        .or_else(|| found(identity.text("userArn"), "AWS_IAM"))
        .or_else(|| found(lattice_principal(identity), "AWS_IAM"))
        .or_else(|| found(authorizer.object("jwt").object("claims").text(claim), "JWT"))
        .or_else(|| found(authorizer.object("claims").text(claim), claims_of))
        .or_else(|| found(authorizer.text("principalId"), "CUSTOM"))
        .or_else(|| found(authorizer.object("lambda").text("principalId"), "CUSTOM"))
}

fn lattice_principal<'e>(identity: &Fields<'e>) -> Option<Cow<'e, [u8]>> {
    (identity.text("type").as_deref() == Some(b"AWS_IAM")).then(|| identity.text("principal"))?
}

/// The client certificate of mutual TLS: `identity.clientCert` (REST, HTTP API 1.0), `authentication.clientCert` (2.0).
pub(super) fn client_cert<'e>(event: &Event<'e>) -> Option<ClientCert<'e>> {
    let holders = [&event.identity, &event.context.object("authentication")];
    let cert = holders.map(|holder| holder.object("clientCert")).into_iter().find(|cert| !cert.is_empty())?;
    let part = |name| cert.text(name).unwrap_or_default();
    Some(ClientCert {
        pem: part("clientCertPem"),
        subject: part("subjectDN"),
        issuer: part("issuerDN"),
        serial: part("serialNumber"),
    })
}
