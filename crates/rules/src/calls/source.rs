//! Where values come from that somebody outside has a say in.

use code::{Function, Language, Parameter, is_number_type};

use super::value::Origin;

/// Where what a path names is from, if the path tells. `class_of` tells the type of the path's first name.
pub(super) fn of_path(
    language: Language,
    path: &str,
    class_of: impl Fn(&str) -> Option<String>,
) -> Option<Origin> {
    let path =
        ["self.", "this.", "$this.", "cls."].iter().find_map(|own| path.strip_prefix(own)).unwrap_or(path);
    let (requests, locals): (&[&str], &[&str]) = match language {
        Language::Python => (&PYTHON_REQUESTS, &PYTHON_LOCALS),
        Language::JavaScript | Language::TypeScript | Language::Tsx => (&SCRIPT_REQUESTS, &SCRIPT_LOCALS),
        Language::Java | Language::Kotlin => (&[], &["System.getenv()", "System.console()"]),
        Language::Go => (&GO_REQUESTS, &["os.Args", "os.Getenv()", "os.Stdin", "flag.Arg()", "flag.Args()"]),
        Language::Ruby => {
            (&["params", "request", "cookies"], &["ARGV", "ENV", "gets", "gets()", "STDIN", "$stdin", "ARGF"])
        }
        Language::Php => (&PHP_REQUESTS, &["$argv", "getenv()", "$_ENV"]),
        Language::C | Language::Cpp => (&[], &["argv", "getenv()", "secure_getenv()"]),
        Language::Rust => {
            (&[], &["std.env.args()", "env.args()", "std.env.var()", "env.var()", "std.env.args_os()"])
        }
        Language::Bash | Language::CSharp => (&[], &[]),
    };
    let names = |known: &&str| {
        // What has to be called is listed with its brackets.
        let rest = match known.strip_suffix("()") {
            Some(called) => path.strip_prefix(called).and_then(|rest| rest.strip_prefix("()")),
            None => path.strip_prefix(*known),
        };
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '(']))
    };
    if requests.iter().any(&names) {
        let first = path.split(['.', '[', '(']).next().unwrap_or_default();
        // Short names are a request only where the type does not say otherwise.
        let is_request = match (language, class_of(first)) {
            (Language::Go, Some(class)) => {
                ["Request", "Context", "Ctx"].iter().any(|known| class.contains(known))
            }
            (Language::Ruby, _) => !RUBY_HARMLESS.iter().any(|harmless| path.ends_with(harmless)),
            (Language::Php, _) => !path.starts_with("$_SERVER"),
            (
                Language::Bash
                | Language::C
                | Language::Cpp
                | Language::CSharp
                | Language::Go
                | Language::Java
                | Language::JavaScript
                | Language::Kotlin
                | Language::Python
                | Language::Rust
                | Language::TypeScript
                | Language::Tsx,
                _,
            ) => true,
        };
        return is_request.then_some(Origin::Request);
    }
    if matches!(language, Language::Java | Language::Kotlin) && is_servlet_call(path, class_of) {
        return Some(Origin::Request);
    }
    locals.iter().any(names).then_some(Origin::Local)
}

const PYTHON_REQUESTS: [&str; 44] = [
    "request.args",
    "request.form",
    "request.values",
    "request.data",
    "request.json",
    "request.GET",
    "request.POST",
    "request.FILES",
    "request.COOKIES",
    "request.META",
    "request.headers",
    "request.cookies",
    "request.files",
    "request.query_params",
    "request.path_params",
    "request.body",
    "request.get_json()",
    "request.get_data()",
    "request.params",
    "request.query_string",
    "request.query",
    "request.matchdict",
    "request.stream",
    "request.raw_post_data",
    "request.get()",
    "request.getvalue()",
    "request.match_info",
    "request.rel_url",
    "request.content",
    "request.form_data",
    "request.post()",
    "request.text()",
    "flask.request",
    "bottle.request",
    "get_argument()",
    "get_arguments()",
    "get_query_argument()",
    "get_body_argument()",
    "cgi.FieldStorage()",
    "event.queryStringParameters",
    "web.input()",
    "cherrypy.request",
    "req.get_param()",
    "req.media",
];

const PYTHON_LOCALS: [&str; 8] = [
    "sys.argv",
    "input()",
    "raw_input()",
    "os.environ",
    "os.getenv()",
    "sys.stdin",
    "argparse",
    "os.environb",
];

const SCRIPT_REQUESTS: [&str; 41] = [
    "req.query",
    "req.body",
    "req.params",
    "req.headers",
    "req.cookies",
    "req.url",
    "req.originalUrl",
    "req.path",
    "req.hostname",
    "req.get()",
    "req.param()",
    "req.header()",
    "req.files",
    "req.file",
    "request.query",
    "request.body",
    "request.params",
    "request.headers",
    "request.cookies",
    "request.url",
    "request.nextUrl",
    "request.json()",
    "request.text()",
    "request.formData()",
    "req.json()",
    "ctx.query",
    "ctx.params",
    "ctx.request",
    "ctx.req",
    "c.req",
    "event.queryStringParameters",
    "event.pathParameters",
    "location.hash",
    "location.search",
    "location.href",
    "window.location",
    "document.location",
    "document.URL",
    "document.referrer",
    "window.name",
    "router.query",
];

const SCRIPT_LOCALS: [&str; 3] = ["process.argv", "process.env", "process.stdin"];

const GO_REQUESTS: [&str; 43] = [
    "r.URL",
    "r.FormValue()",
    "r.PostFormValue()",
    "r.Form",
    "r.PostForm",
    "r.Header",
    "r.Body",
    "r.Cookie()",
    "r.RequestURI",
    "r.Host",
    "r.MultipartForm",
    "r.PathValue()",
    "r.FormFile()",
    "req.URL",
    "req.FormValue()",
    "req.PostFormValue()",
    "req.Form",
    "req.PostForm",
    "req.Header",
    "req.Body",
    "req.Cookie()",
    "req.RequestURI",
    "req.Host",
    "req.PathValue()",
    "request.URL",
    "request.FormValue()",
    "request.Form",
    "request.Header",
    "request.Body",
    "c.Query()",
    "c.Param()",
    "c.Params()",
    "c.PostForm()",
    "c.DefaultQuery()",
    "c.FormValue()",
    "c.QueryParam()",
    "c.GetHeader()",
    "ctx.Query()",
    "ctx.Param()",
    "ctx.Params()",
    "ctx.FormValue()",
    "mux.Vars()",
    "chi.URLParam()",
];

const PHP_REQUESTS: [&str; 22] = [
    "$_GET",
    "$_POST",
    "$_REQUEST",
    "$_COOKIE",
    "$_FILES",
    "$_SERVER",
    "$HTTP_RAW_POST_DATA",
    "$request.input()",
    "$request.query",
    "$request.get()",
    "$request.post()",
    "$request.all()",
    "$request.cookie()",
    "$request.header()",
    "$request.request",
    "$request.attributes",
    "$request.getParam()",
    "$request.getQueryParams()",
    "$request.getParsedBody()",
    "Input.get()",
    "Request.input()",
    "request()",
];

/// What a request of Rails says that the server decided, or that is of a fixed form.
const RUBY_HARMLESS: [&str; 12] = [
    "request.env",
    "request.format",
    "request.xhr?",
    "request.method",
    "request.get?",
    "request.post?",
    "request.remote_ip",
    "request.ssl?",
    "request.protocol",
    "request.request_method",
    "request.uuid",
    "request.session",
];

/// Whether a header or a path stands behind a key of PHP's `$_SERVER`.
pub(super) fn is_sent_by_client(server_key: &str) -> bool {
    server_key.starts_with("HTTP_")
        || matches!(server_key, "QUERY_STRING" | "REQUEST_URI" | "PHP_SELF" | "PATH_INFO" | "PATH_TRANSLATED")
}

/// Methods of a servlet's request that give what the client sent.
const SERVLET_METHODS: [&str; 20] = [
    "getParameter",
    "getParameterValues",
    "getParameterMap",
    "getParameterNames",
    "getHeader",
    "getHeaders",
    "getHeaderNames",
    "getQueryString",
    "getCookies",
    "getRequestURI",
    "getRequestURL",
    "getPathInfo",
    "getReader",
    "getInputStream",
    "getPart",
    "getParts",
    "getPathTranslated",
    "getServletPath",
    "getQueryParams",
    "getBody",
];

fn is_servlet_call(path: &str, class_of: impl Fn(&str) -> Option<String>) -> bool {
    let Some((object, rest)) = path.split_once('.') else { return false };
    let method = rest.split(['(', '.', '[']).next().unwrap_or_default();
    if !SERVLET_METHODS.contains(&method) {
        return false;
    }
    match class_of(object) {
        Some(class) => class.contains("Request") || class.contains("HttpExchange"),
        None => object == "request" || object == "req",
    }
}

/// Where a parameter is from.
pub(super) fn of_parameter(language: Language, function: &Function, parameter: &Parameter) -> Origin {
    if let Some(kind) = &parameter.type_name {
        if is_harmless_type(kind) {
            return Origin::Constant;
        }
        // Extractors of Rust's web frameworks; `&Path` without arguments is the file system's.
        if language == Language::Rust
            && ["Path<", "Query<", "Json<", "Form<", "Multipart"].iter().any(|known| kind.contains(known))
        {
            return Origin::Request;
        }
    }
    if parameter.marks.iter().any(|mark| REQUEST_MARKS.iter().any(|known| mark_name(mark) == *known)) {
        return Origin::Request;
    }
    if language == Language::Python && is_routed(function) && parameter.name != "self" {
        return if parameter.name == "request" { Origin::Unknown } else { Origin::Request };
    }
    match parameter.name.as_str() {
        "self" | "cls" | "this" => Origin::Unknown,
        "argv" if matches!(language, Language::C | Language::Cpp) => Origin::Local,
        "args" if language == Language::Java && function.name.as_deref() == Some("main") => Origin::Local,
        _ => Origin::Parameter,
    }
}

/// Annotations of parameters that a web framework fills from the request.
const REQUEST_MARKS: [&str; 17] = [
    "RequestParam",
    "PathVariable",
    "RequestBody",
    "RequestHeader",
    "CookieValue",
    "PathParam",
    "QueryParam",
    "FormParam",
    "HeaderParam",
    "MatrixParam",
    "ModelAttribute",
    "Query",
    "Body",
    "Param",
    "Headers",
    "CookieParam",
    "RequestPart",
];

fn mark_name(mark: &str) -> &str {
    mark.split('(').next().unwrap_or(mark).rsplit('.').next().unwrap_or(mark)
}

/// Whether a web framework of Python calls a function for an address.
fn is_routed(function: &Function) -> bool {
    function.marks.iter().any(|mark| {
        let Some((name, arguments)) = mark.split_once('(') else { return false };
        let method = name.rsplit('.').next().unwrap_or_default();
        let takes_address = arguments.trim_start_matches(['r', 'f']).starts_with(['"', '\'']);
        name.contains('.')
            && takes_address
            && matches!(
                method,
                "route" | "get" | "post" | "put" | "delete" | "patch" | "websocket" | "api_route"
            )
    })
}

/// Whether values of a type carry no text of a stranger.
fn is_harmless_type(kind: &str) -> bool {
    let kind = kind
        .trim()
        .trim_start_matches(['&', '*', '?'])
        .trim_start_matches("mut ")
        .trim_start_matches("const ");
    let kind = kind.strip_prefix("Optional[").map_or(kind, |inner| inner.trim_end_matches(']'));
    let kind = kind.trim_end_matches(" | None");
    is_number_type(kind)
        || matches!(
            kind,
            "number"
                | "bigint"
                | "UUID"
                | "Uuid"
                | "uuid.UUID"
                | "date"
                | "datetime"
                | "datetime.date"
                | "datetime.datetime"
                | "Date"
                | "LocalDate"
                | "LocalDateTime"
                | "Instant"
                | "time.Time"
                | "time.Duration"
        )
}
