# The commands that the documents name, for https://just.systems: `cargo install just`, then `just` lists them. Each prints
# the lines that it runs, which can be typed without it.

set shell := ["bash", "-euo", "pipefail", "-c"]

# list the recipes
default:
    @{{ just_executable() }} --list --unsorted

# the quick half of CI: format, lints, the rules of the tree
check:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    cargo test --locked --test tidy

# write the sources as rustfmt does
fmt:
    cargo fmt

# all tests, or those whose names contain NAME
test *NAME:
    cargo test --locked {{ NAME }}

# the tests of the assembled service over HTTP, or those whose names contain NAME
blackbox *NAME:
    cargo test --locked --test blackbox {{ NAME }}

# a storm of BOOKINGS over failing replicas; faults, kills and requests are drawn from SEED
storm BOOKINGS="300" SEED="7":
    TEST_STORM_BOOKINGS={{ BOOKINGS }} TEST_STORM_SEED={{ SEED }} cargo test --locked --test storm -- --nocapture

# a PostgreSQL, a simulated Graph, the service, and requests to it
demo *OPTIONS:
    cargo run --locked -- demo {{ OPTIONS }}

# write the query files of .sqlx anew
sqlx:
    .ci/prepare-sqlx

# write docs/openapi.json anew
openapi:
    cargo build --locked
    cargo run --locked --quiet -- openapi > docs/openapi.json
    git diff --stat -- docs/openapi.json

# measure; see docs/BENCHMARKS.md for OPTIONS
bench *OPTIONS:
    cargo bench --locked --bench bookings -- {{ OPTIONS }}

# licences, sources and forbidden crates (`cargo install --locked cargo-deny`)
deny:
    cargo deny --locked --all-features check bans licenses sources

# known vulnerabilities of the dependencies; asks the RustSec database
advisories:
    cargo deny --locked --all-features check advisories

# everything that must hold before a merge, or the SECTIONS of it that are named; `just ci --list` names them
[positional-arguments]
ci *SECTIONS:
    bash .ci/run "$@"

# build the container image
image TAG="meeting-provisioner:dev":
    docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag {{ TAG }} .

# PostgreSQL, a simulated Graph and the service in containers, for trying out
compose:
    docker compose --file deploy/compose.yaml up --build
