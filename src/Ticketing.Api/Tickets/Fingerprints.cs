using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shadowing.EntityFrameworkCore;
using Shadowing.Journal;
using Ticketing.Dapper;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tickets;

/// <summary>
/// What code each side is. Builds are deterministic, so the module version id changes with a side's code and with nothing else.
/// </summary>
/// <param name="Rules">Of the experiments: what counts as equal.</param>
internal sealed record Fingerprints(string Candidate, string Control, string Rules)
{
    public static Fingerprints Current { get; } = new(
        Hash(
            Of(typeof(EfTicketStore), typeof(DbContext), typeof(NpgsqlConnection)),
            typeof(ContextLease).Module.ModuleVersionId.ToString()),
        Of(typeof(DapperTicketStore), typeof(NpgsqlConnection)),
        Hash(typeof(Fingerprints).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(metadata => metadata.Key == "ShadowRules").Value!));

    /// <summary>As mismatches and the status name it.</summary>
    public ShadowedCode Code => new(Candidate, Control, Rules);

    /// <summary>What evidence is counted for: all three, on a schema.</summary>
    public string On(string schema) => Hash(Candidate, Control, Rules, schema);

    private static string Of(Type side, params Type[] libraries) =>
        Hash([side.Module.ModuleVersionId.ToString(), .. libraries.Select(library => library.Assembly.GetName().FullName)]);

    private static string Hash(params IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..12];
}
