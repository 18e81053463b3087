using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shadowing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Parity;

public sealed class ModelCheckTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_model_says_what_the_tables_are_and_the_shadows_role_may_ask()
    {
        foreach (var role in (string[])[database.Database.Owner, database.Database.Served, database.Database.Shadow, database.Database.Evidence])
            Assert.Empty(await CompareAsync(role, "SELECT 1"));
    }

    [Theory]
    [InlineData("ALTER TABLE ticket_comments RENAME TO remarks", "ticket_comments: is missing", true)]
    [InlineData("ALTER TABLE support_tickets DROP category", "support_tickets.category: is missing", true)]
    [InlineData("ALTER TABLE support_tickets RENAME assigned_to TO assignee_id", "support_tickets.assigned_to: is missing", true)]
    [InlineData("ALTER TABLE users ALTER id TYPE bigint", "users.id: is bigint, the model says integer", true)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER created_at TYPE timestamptz",
        "support_tickets.created_at: is timestamp with time zone, the model says timestamp without time zone", true)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER resolved_at TYPE timestamp(3)",
        "support_tickets.resolved_at: is timestamp(3) without time zone, the model says timestamp without time zone", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER subject TYPE varchar(300)",
        "support_tickets.subject: is character varying(300), the model says character varying(255)", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER description TYPE varchar",
        "support_tickets.description: is character varying, the model says text", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER subject DROP NOT NULL",
        "support_tickets.subject: allows NULL, the model says is NOT NULL", false)]
    [InlineData(
        "UPDATE ticket_comments SET is_internal = false; ALTER TABLE ticket_comments ALTER is_internal SET NOT NULL",
        "ticket_comments.is_internal: is NOT NULL, the model says allows NULL", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER category DROP DEFAULT",
        "support_tickets.category: has default NULL, the model says default 'general'", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER status SET DEFAULT 'OPEN'",
        "support_tickets.status: has default 'OPEN', the model says default 'open'", false)]
    [InlineData(
        "ALTER TABLE ticket_comments ALTER is_internal SET DEFAULT true",
        "ticket_comments.is_internal: has default TRUE, the model says default FALSE", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER resolution SET DEFAULT 'none'",
        "support_tickets.resolution: has default 'none', the model says default NULL", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER updated_at SET DEFAULT clock_timestamp()",
        "support_tickets.updated_at: has default CLOCK_TIMESTAMP(), the model says default CURRENT_TIMESTAMP", false)]
    [InlineData(
        "ALTER TABLE support_tickets ALTER id DROP DEFAULT",
        "support_tickets.id: has default NULL, the model says a generated number", true)]
    [InlineData(
        "ALTER TABLE ticket_comments DROP CONSTRAINT ticket_comments_pkey",
        "ticket_comments: has no primary key, the model says primary key (id)", false)]
    [InlineData(
        "ALTER TABLE ticket_comments DROP CONSTRAINT ticket_comments_ticket_id_fkey",
        "ticket_comments.ticket_id: has no foreign key, the model says a foreign key to support_tickets ON DELETE CASCADE", false)]
    [InlineData(
        """
        ALTER TABLE support_tickets DROP CONSTRAINT support_tickets_assigned_to_fkey,
            ADD FOREIGN KEY (assigned_to) REFERENCES users ON DELETE CASCADE
        """,
        "support_tickets.assigned_to: has a foreign key to users ON DELETE CASCADE, the model says a foreign key to users ON DELETE SET NULL", false)]
    [InlineData(
        "ALTER TABLE support_tickets ADD channel text NOT NULL DEFAULT 'web'; ALTER TABLE support_tickets ALTER channel DROP DEFAULT",
        "support_tickets.channel: is NOT NULL and has no default, the model does not have it", true)]
    public async Task An_altered_table_is_reported_as_that_alteration_and_nothing_else(string alteration, string expected, bool breaks)
    {
        var disagreement = Assert.Single(await CompareAsync(database.Database.Owner, alteration));

        Assert.Equal((expected, breaks), ($"{disagreement.Object}: {disagreement.Finding}", disagreement.Breaks));
    }

    [Theory]
    [InlineData("ALTER TABLE support_tickets ALTER created_at SET DEFAULT now()")]
    [InlineData("ALTER TABLE support_tickets ALTER category SET DEFAULT ('general'::text)::varchar(50)")]
    [InlineData("ALTER TABLE support_tickets ALTER resolution SET DEFAULT NULL")]
    [InlineData("ALTER TABLE support_tickets ALTER resolved_at TYPE timestamp")]
    [InlineData("ALTER TABLE support_tickets ALTER id DROP DEFAULT, ALTER id ADD GENERATED BY DEFAULT AS IDENTITY")]
    [InlineData("ALTER TABLE support_tickets ADD channel text, ADD origin text NOT NULL DEFAULT 'web'")]
    [InlineData("ALTER TABLE users ADD channel text NOT NULL DEFAULT 'web'; ALTER TABLE users ALTER channel DROP DEFAULT")]
    [InlineData("ALTER TABLE users DROP two_factor_secret")]
    [InlineData("DROP INDEX idx_support_tickets_status")]
    public async Task What_makes_no_difference_to_the_candidate_is_not_reported(string alteration) =>
        Assert.Empty(await CompareAsync(database.Database.Owner, alteration));

    [Fact]
    public async Task The_mistakes_that_sank_the_migration_would_have_been_reported()
    {
        await using var connection = new NpgsqlConnection(database.Database.Shadow);
        await connection.OpenAsync(Token);
        await using var wrong = new WrongContext();

        var disagreements = await ModelCheck.CompareAsync(wrong, connection, Token);

        Assert.Equal(
            [
                new("support_tickets.id", "is integer, the model says text", true),
                new("support_tickets.id", "has a generated number, the model says default NULL", false),
                new("support_tickets.assignee", "is missing", true),
                new("support_tickets.category", "is character varying(50), the model says text", false),
                new("support_tickets.category", "has default 'general', the model says default NULL", false),
                new("support_tickets.created_at", "is timestamp without time zone, the model says timestamp with time zone", true),
                new("support_tickets.created_at", "allows NULL, the model says is NOT NULL", false),
                new("support_tickets.created_at", "has default CURRENT_TIMESTAMP, the model says default NULL", false),
                new("support_tickets.user_id", "is NOT NULL and has no default, the model does not have it", true),
                new("support_tickets.subject", "is NOT NULL and has no default, the model does not have it", true),
                new("support_tickets.description", "is NOT NULL and has no default, the model does not have it", true),
                new("tickets_archive", "is missing", true),
            ],
            disagreements);
    }

    private async Task<IReadOnlyList<ModelDisagreement>> CompareAsync(string connectionString, string alteration)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var command = new NpgsqlCommand(alteration, connection, transaction);
        await command.ExecuteNonQueryAsync(Token);
        return await ModelCheck.CompareAsync(database.Contexts, connection, Token);
    }

    private sealed class WrongTicket
    {
        public string Id { get; set; } = "";

        public string? Assignee { get; set; }

        public string? Category { get; set; }

        public DateTime CreatedAt { get; set; }
    }

    private sealed class WrongArchive
    {
        public int Id { get; set; }
    }

    private sealed class WrongContext : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<WrongTicket>(ticket =>
            {
                ticket.ToTable("support_tickets");
                ticket.Property(row => row.Id).HasColumnName("id");
                ticket.Property(row => row.Assignee).HasColumnName("assignee");
                ticket.Property(row => row.Category).HasColumnName("category");
                ticket.Property(row => row.CreatedAt).HasColumnName("created_at");
            });
            modelBuilder.Entity<WrongArchive>().ToTable("tickets_archive").Property(row => row.Id).HasColumnName("id");
        }
    }
}
