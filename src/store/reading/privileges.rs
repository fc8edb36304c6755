//! What the role that connects may do, compared with what the service needs.

use crate::store::connections::Connection;
use crate::store::{Store, StoreError};

/// The one list of what the service's role needs; operators run it, the tests do, and this reads it.
const GRANTS: &str = include_str!("../../../deploy/grants.sql");

/// One privilege on one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Privilege {
    name: String,
    /// The column; empty where the whole thing is meant.
    column: String,
    /// `table`, `function` or `schema`.
    kind: String,
    object: String,
}

impl Privilege {
    fn as_text(&self) -> String {
        let Self { name, column, kind, object } = self;
        let column = if column.is_empty() { String::new() } else { format!(" ({column})") };
        format!("{name}{column} on {kind} {object}")
    }
}

/// The privileges that a file of grants names: statements like `grant select, update (a, b) on table t to :"role";`, one on
/// each line.
fn privileges(grants: &str) -> Vec<Privilege> {
    let statements = grants.lines().filter_map(|line| {
        let (granted, rest) = line.strip_prefix("grant ")?.split_once(" on ")?;
        let (kind, object) = rest.strip_suffix(" to :\"role\";")?.split_once(' ')?;
        Some((granted, kind, object))
    });
    let mut found = Vec::new();
    for (granted, kind, object) in statements {
        let mut push = |name: &str, column: &str| {
            let text = |text: &str| text.trim().to_owned();
            found.push(Privilege {
                name: text(name),
                column: text(column),
                kind: text(kind),
                object: text(object),
            });
        };
        let mut rest = granted;
        while !rest.is_empty() {
            let end = rest.find([',', '(']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            rest = if let Some((columns, behind)) =
                behind.strip_prefix('(').and_then(|columns| columns.split_once(')'))
            {
                columns.split(',').for_each(|column| push(name, column));
                behind
            } else {
                push(name, "");
                behind
            };
            rest = rest.trim_start_matches(',').trim_start();
        }
    }
    found
}

impl Store {
    /// The role's name and the privileges that it lacks, in words such as `update (due_at) on table booking`. What is not there
    /// counts as lacking. Without the use of the schema that alone is told: nothing in it can be seen.
    pub(crate) async fn missing_privileges(&self) -> Result<(String, Vec<String>), StoreError> {
        let (of_schema, others): (Vec<_>, Vec<_>) =
            privileges(GRANTS).into_iter().partition(|one| one.kind == "schema");
        let mut connection = self.connections.acquire().await?;
        let role = sqlx::query_scalar("select current_user::text").fetch_one(&mut connection).await?;
        let mut missing = missing_of(&mut connection, &of_schema).await?;
        if missing.is_empty() {
            missing = missing_of(&mut connection, &others).await?;
        }
        Ok((role, missing))
    }

    /// Writes a row as a replica does, and takes it back: fails where Postgres takes no writes, or not from this role.
    pub(crate) async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut connection = self.connections.acquire().await?;
        let connection = connection.begin_several_statements()?;
        sqlx::query("begin").execute(&mut *connection).await?;
        let written = sqlx::query("insert into graph_pause (scope, paused_until) values ('doctor', 'epoch')")
            .execute(&mut *connection)
            .await;
        sqlx::query("rollback").execute(&mut *connection).await?;
        Ok(written.map(drop)?)
    }
}

async fn missing_of(connection: &mut Connection, needed: &[Privilege]) -> Result<Vec<String>, StoreError> {
    let each =
        |part: fn(&Privilege) -> &String| needed.iter().map(|one| part(one).clone()).collect::<Vec<_>>();
    let missing: Vec<i64> = sqlx::query_scalar(
        "select ordinality from unnest($1::text[], $2::text[], $3::text[], $4::text[])
             with ordinality as needed (kind, object, name, column_name, ordinality)
         where not coalesce(case
             when kind = 'schema' then has_schema_privilege(to_regnamespace(object)::oid, name)
             when kind = 'function' then has_function_privilege(to_regprocedure(object)::oid, name)
             when column_name = '' then has_table_privilege(to_regclass(object)::oid, name)
             else has_column_privilege(to_regclass(object)::oid, column_name, name)
         end, false)
         order by ordinality",
    )
    .bind(each(|one| &one.kind))
    .bind(each(|one| &one.object))
    .bind(each(|one| &one.name))
    .bind(each(|one| &one.column))
    .fetch_all(connection)
    .await?;
    let named = missing.into_iter().filter_map(|place| needed.get(usize::try_from(place - 1).ok()?));
    Ok(named.map(Privilege::as_text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No statement of the file is passed over, and each form of one is read.
    #[test]
    fn every_grant_is_read() {
        let statements = GRANTS.lines().filter(|line| line.starts_with("grant ")).count();
        let objects: std::collections::BTreeSet<String> =
            privileges(GRANTS).into_iter().map(|one| one.object).collect();
        assert!(objects.len() >= 14 && statements >= objects.len(), "{objects:?}");
        let lines = GRANTS.lines().filter(|line| !line.is_empty() && !line.starts_with("--"));
        assert!(lines.clone().all(|line| line.starts_with("grant ") && line.ends_with(" to :\"role\";")));
        let sample = "grant select, update (a, b), delete on table t to :\"role\";\ngrant execute on function f(text, t) to :\"role\";";
        let words: Vec<String> = privileges(sample).iter().map(Privilege::as_text).collect();
        assert_eq!(
            words,
            [
                "select on table t",
                "update (a) on table t",
                "update (b) on table t",
                "delete on table t",
                "execute on function f(text, t)"
            ]
        );
    }
}
