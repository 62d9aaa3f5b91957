"""What keys and logins may do, and in which collections; when keys expire and were last used.

The keys that are there keep all rights. Login links and sessions that are there may do what the page does.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and say what was allowed without words."""
    for table in ("api_keys", "sessions", "login_tokens"):
        op.add_column(table, sa.Column("scopes", sa.Text(), nullable=False, server_default=sa.text("''")))
        op.add_column(table, sa.Column("collections", sa.Text()))
    for table in ("sessions", "login_tokens"):
        op.add_column(table, sa.Column("name", sa.Text(), nullable=False, server_default=sa.text("''")))
    for name in ("expires_at", "last_used_at"):
        op.add_column("api_keys", sa.Column(name, sa.Float(53)))
    op.execute("UPDATE api_keys SET scopes = 'admin'")
    op.execute("UPDATE sessions SET name = 'page login', scopes = 'search index'")
    op.execute("UPDATE login_tokens SET name = 'page login', scopes = 'search index'")
