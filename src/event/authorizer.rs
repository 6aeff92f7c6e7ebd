//! Who the caller is. Only what the front end has verified counts, never a header.

use std::borrow::Cow;

use crate::event::fields::Fields;
use crate::request::{ClientCert, FrontEnd, User};

/// The first of these that is there: the IAM identity, the claim of a verified token, a Lambda authorizer's principal.
///
/// `context` is the event's `requestContext`, `identity` the object of that name in it.
pub(super) fn user<'e>(
    context: &Fields<'e>,
    identity: &Fields<'e>,
    claim: &str,
    front_end: FrontEnd,
) -> Option<User<'e>> {
    let authorizer = context.object("authorizer");
    // HTTP APIs have JWT authorizers only. Payload 1.0 has their claims in the place of REST's Cognito claims.
    let claims_of = if front_end == FrontEnd::HttpApiV1 { "JWT" } else { "COGNITO_USER_POOLS" };
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

/// The client certificate of mutual TLS: `identity.clientCert` in REST and HTTP API 1.0, `authentication.clientCert` in
/// 2.0.
pub(super) fn client_cert<'e>(context: &Fields<'e>, identity: &Fields<'e>) -> Option<ClientCert<'e>> {
    let holders = [identity, &context.object("authentication")];
    let cert = holders.map(|holder| holder.object("clientCert")).into_iter().find(|cert| !cert.is_empty())?;
    let part = |name| cert.text(name).unwrap_or_default();
    Some(ClientCert {
        pem: part("clientCertPem"),
        subject: part("subjectDN"),
        issuer: part("issuerDN"),
        serial: part("serialNumber"),
    })
}
