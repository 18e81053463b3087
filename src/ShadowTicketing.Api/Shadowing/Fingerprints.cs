using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ShadowTicketing.Tickets.Dapper;
using ShadowTicketing.Tickets.EfCore;

namespace ShadowTicketing.Api.Shadowing;

/// <summary>What code each side is. Builds are deterministic, so the module version id changes with a side's code and with nothing else.</summary>
internal sealed record Fingerprints(string Candidate, string Control)
{
    public static Fingerprints Current { get; } = new(
        Of(typeof(EfTicketStore), typeof(DbContext), typeof(NpgsqlConnection)), Of(typeof(DapperTicketStore), typeof(NpgsqlConnection)));

    private static string Of(Type side, params Type[] libraries)
    {
        var parts = libraries.Select(library => library.Assembly.GetName().FullName).Prepend(side.Module.ModuleVersionId.ToString());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..12];
    }
}
