using Npgsql;
using Shadowing.Postgres.Connections;

namespace Ticketing.Api.Tests.Http;

/// <summary>Both usual forms of a connection string are read, and no message about one holds any of it.</summary>
public sealed class ConnectionTextTests
{
    [Theory]
    [InlineData(
        "postgresql://user:pa%3Ass%40%2F%3F%23%25@db.example:6432/tickets",
        "Host=db.example;Port=6432;Database=tickets;Username=user;Password=pa:ss@/?#%")]
    [InlineData("postgres://user@db.example", "Host=db.example;Username=user")]
    [InlineData("POSTGRES://u%73er:p@db.example/", "Host=db.example;Username=user;Password=p")]
    [InlineData("postgresql://user:p@[::1]:6432/a%20b", "Host=::1;Port=6432;Database=\"a b\";Username=user;Password=p")]
    [InlineData("postgresql://user:p@[fe80::1]/t", "Host=fe80::1;Database=t;Username=user;Password=p")]
    [InlineData(
        "postgresql://user:p@one:1,two,[::1]:3/t?target_session_attrs=primary",
        "Host=one:1,two,[::1]:3;Database=t;Username=user;Password=p;Target Session Attributes=primary")]
    [InlineData(
        "postgresql://u:p@h/t?sslmode=require&application_name=a%20b&connect_timeout=7",
        "Host=h;Database=t;Username=u;Password=p;SSL Mode=Require;Application Name=a b;Timeout=7")]
    [InlineData(
        "postgresql://u:p@h?sslmode=verify-full&channel_binding=require",
        "Host=h;Username=u;Password=p;SSL Mode=VerifyFull;Channel Binding=Require")]
    [InlineData("postgresql://h?sslmode=disable", "Host=h;SSL Mode=Disable")]
    [InlineData("postgresql://h?sslmode=prefer", "Host=h;SSL Mode=Prefer")]
    [InlineData(" Host=h;Password='a;b=c' ", "Host=h;Password=\"a;b=c\"")]
    public void It_means_what_libpq_or_Npgsql_would_take_it_for(string text, string keywords)
    {
        var read = new NpgsqlConnectionStringBuilder(ConnectionText.ToKeywords(text)) { PersistSecurityInfo = false };
        Assert.True(read.EquivalentTo(new NpgsqlConnectionStringBuilder(keywords) { PersistSecurityInfo = false }), read.ConnectionString);
    }

    [Theory]
    [InlineData("postgresql://u:hunter2@h/t?foo_bar=hunter2", "the parameter foo_bar of its URL is not known; known are sslmode, ")]
    [InlineData("postgresql://u:hunter2@h/t?sslmode=hunter2", "the value of sslmode in its URL is impossible.")]
    [InlineData("postgresql://u:hunter2@h/t?connect_timeout=-1", "the value of connect_timeout in its URL is impossible.")]
    [InlineData("postgresql://u:hunter2@h:x/t", "the port in its URL is no port")]
    [InlineData("postgresql://u:hunter2@[::1/t", "the host in its URL is no host")]
    [InlineData("postgresql://u:hun%ter2@h/t", "a % in its URL is not followed by two hexadecimal digits")]
    [InlineData("postgresql://u:hun/ter2@h/t", "must be percent-encoded")]
    [InlineData("postgresql://u:hun?ter2@h/t", "must be percent-encoded")]
    [InlineData("postgresql://u:hun#ter2@h/t", "must be percent-encoded")]
    [InlineData("postgresql://u:hun@ter2@h/t", "must be percent-encoded")]
    [InlineData("postgresql://u:1/ter2@h/t", "must be percent-encoded")]
    [InlineData("jdbc:postgresql://h/t?user=u&password=hunter2", "is no connection string")]
    [InlineData("Host=h;Pasword=hunter2", "is no connection string")]
    [InlineData("Host=h;hunter2", "is no connection string")]
    [InlineData("Host=h;Port=hunter2", "is no connection string")]
    [InlineData("Host=h;Password=hunter2;Minimum Pool Size=9;Maximum Pool Size=1", "is no connection string")]
    public void What_is_refused_is_named_and_not_quoted(string text, string because)
    {
        var complaint = ConnectionText.Complaint("ConnectionStrings:Served", text, mustNameHost: true);
        Assert.NotNull(complaint);
        Assert.StartsWith("ConnectionStrings:Served is refused: ", complaint, StringComparison.Ordinal);
        Assert.Contains(because, complaint, StringComparison.Ordinal);
        Assert.EndsWith($"Wanted: {ConnectionText.Wanted}.", complaint, StringComparison.Ordinal);
        foreach (var part in (string[])["hun", "ter2"]) Assert.DoesNotContain(part, complaint, StringComparison.Ordinal);
        Assert.Null(Assert.Throws<FormatException>(() => ConnectionText.ToKeywords(text)).InnerException);
    }
}
