"""DuckDB alone: reads the JSON lines and joins the side tables."""

from __future__ import annotations

from benchmarks.task import Done, Task, clock


def read(task: Task) -> Done:
    """Join the tables, and look at each value that the project would take."""
    import duckdb

    users = "SELECT user_id, elite, yelping_since FROM read_json($users, ignore_errors=true)"
    businesses = "SELECT business_id, categories FROM read_json($businesses, ignore_errors=true)"
    files = {"messages": task.messages}
    query = "FROM read_json($messages, ignore_errors=true) AS message"
    seen = ["length(text)", "length(review_id)", "epoch(date::TIMESTAMP)"]
    if task.users:
        files["users"] = [task.users]
        query += f" LEFT JOIN ({users}) AS u USING (user_id)"
        seen += ["length(elite::VARCHAR)"]
    if task.businesses:
        files["businesses"] = [task.businesses]
        query += f" LEFT JOIN ({businesses}) AS b USING (business_id)"
        seen += ["length(categories)"]
    sums = ", ".join(f"sum({expression})" for expression in seen)
    with clock() as spent:
        found = duckdb.execute(f"SELECT count(*), {sums} {query}", files).fetchone()
    return Done(int(found[0]) if found else 0, spent)
