//! The service's description: OpenAPI 3.1, and a page to read it.

use axum::Router;
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use super::handlers;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "MedSeal Key Generation Center",
        description = "Issues partials to senders and releases image keys to wallets that the chain authorises. Fetch a challenge, sign an EIP-712 request over its hash (FORMAT.md, section 8), post it; open the answer with the request's X25519 key (HPKE, `info` = the request's digest), and check its receipt against the receipt signer on chain."
    ),
    paths(
        handlers::info,
        handlers::challenges,
        handlers::issue,
        handlers::release,
        handlers::healthz,
        handlers::readyz
    )
)]
struct Document;

/// `/v1/openapi.json`, and `/docs` with its files from this program.
pub(super) fn routes() -> Router {
    SwaggerUi::new("/docs").url("/v1/openapi.json", Document::openapi()).into()
}
