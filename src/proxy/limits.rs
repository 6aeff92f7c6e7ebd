//! The sizes that front ends and the platform take, in bytes.

/// The largest buffered response: 6 MiB and 100 bytes (the constant of AWS's Runtime Interface Emulator,
/// `interop.MaxPayloadSize`; docs, "Lambda quotas").
pub const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024 + 100;
/// The largest response through an ALB: 1 MiB (docs, "Use Lambda functions as targets of an Application Load
/// Balancer").
pub const MAX_ALB_RESPONSE_BYTES: usize = 1024 * 1024;
/// The most that header names and values together may have in API Gateway (docs, "Quotas for configuring and running an
/// API").
pub const MAX_API_GATEWAY_HEADER_BYTES: usize = 10_240;
/// API Gateway looks for the delimiter after a streamed response's metadata within this many bytes (docs, "Stream the
/// integration response for your proxy integrations").
pub const MAX_PRELUDE_BYTES: usize = 16 * 1024;
