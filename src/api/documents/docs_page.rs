//! `GET /docs/`: a page that renders the OpenAPI document, with no asset from outside.

use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::web::Path;
use utoipa_swagger_ui::Config;

use crate::api::problems::{EndpointResponse, EndpointResult, Problem, ProblemCode};

const TITLE: &str = "Meeting Provisioner API";
/// The browser itself lets nothing come from outside; Swagger UI writes styles and pictures into its page.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json");
    // Swagger UI would ask a host on the internet whether the document is valid.
    Arc::new(config.validator_url("none").display_operation_id(true).display_request_duration(true))
});

/// Redirects to the page, whose files are below its path.
pub(crate) async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// The page and its files.
pub(crate) async fn get_docs(file: Path<String>) -> EndpointResponse {
    EndpointResponse(serve(&file))
}

fn serve(file: &str) -> EndpointResult {
    let unknown = || Problem::new(ProblemCode::NotFound, "There is nothing at this path.");
    let found = utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)).map_err(|error| {
        tracing::error!(%error, "a file of the documentation can't be served");
        Problem::new(ProblemCode::InternalError, "The documentation can't be shown.")
    })?;
    let found = found.ok_or_else(unknown)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY)).content_type(found.content_type.clone());
    if found.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    if !file.is_empty() && file != "index.html" {
        return Ok(response.body(found.bytes.into_owned()));
    }
    let page = String::from_utf8_lossy(&found.bytes).replacen("<title>Swagger UI</title>", &title(), 1);
    Ok(response.body(page))
}

fn title() -> String {
    format!("<title>{TITLE}</title>")
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    fn text(file: &str) -> String {
        let body = serve(file).unwrap().into_body().try_into_bytes().unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The page has our title and our document, and names no host.
    #[test]
    fn the_page_renders_our_document_without_an_outside_asset() {
        let page = text("");
        assert!(page.contains(&title()), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        let initializer = text("swagger-initializer.js");
        assert!(initializer.contains("/openapi.json"), "{initializer}");
        assert!(initializer.contains(r#""validatorUrl": "none""#), "{initializer}");
        assert!(!initializer.contains("https://"), "{initializer}");
    }

    /// A file that does not exist is a problem like any other.
    #[test]
    fn an_unknown_file_is_not_found() {
        assert_eq!(serve("x").unwrap_err().code(), ProblemCode::NotFound);
    }
}
