using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Shadowing.EntityFrameworkCore;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres.Hosting;
using Ticketing.Dapper;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tickets;

/// <summary>What code the sides are, and by what code they are compared: <see cref="CodeFingerprint"/> of each.</summary>
/// <param name="Candidate">The candidate, with EF Core and Npgsql, and the engine's part that runs beneath it.</param>
/// <param name="Control">The control, with Dapper and Npgsql.</param>
/// <param name="Rules">What both share, what counts as equal, and the engine's comparing and judging.</param>
internal sealed record Fingerprints(string Candidate, string Control, string Rules)
{
    private static readonly string[] Libraries = ["Dapper", "Microsoft.EntityFrameworkCore", "Npgsql"];

    /// <summary>
    /// What is compared and by what rules; which rows of a write are looked at; and what of them a snapshot or a sandbox shows.
    /// </summary>
    internal static IReadOnlyList<Type> Judging { get; } =
    [
        .. TypesBeside(typeof(ITicketStore)),
        typeof(TicketExperiments), typeof(TicketShapes), typeof(TicketFootprints), typeof(TicketSandbox), typeof(PlanSafeStore),
        .. JudgingCode.Types,
        .. PostgresJudging.Types,
    ];

    public static Fingerprints Current { get; } = new(
        OfSide(typeof(EfTicketStore), typeof(ContextLease)), OfSide(typeof(DapperTicketStore)), CodeFingerprint.Compute(Judging));

    /// <summary>As mismatches and the status name it.</summary>
    public ShadowedCode Code => new(Candidate, Control, Rules);

    /// <summary>What evidence is counted for: all three, on a schema.</summary>
    public string On(string schema) => Hash(Candidate, Control, Rules, schema);

    private static string OfSide(Type side, params Type[] beneath) => CodeFingerprint.Compute(
        beneath.Prepend(side).SelectMany(TypesBeside),
        side.Assembly.GetReferencedAssemblies()
            .Where(library => Libraries.Any(known => library.Name!.StartsWith(known, StringComparison.Ordinal)))
            .OrderBy(library => library.Name, StringComparer.Ordinal)
            .Select(library => CodeFingerprint.VersionOf(Assembly.Load(library))));

    /// <summary>All types of a type's assembly.</summary>
    private static IEnumerable<Type> TypesBeside(Type one) => one.Assembly.GetTypes().Where(type => !type.IsNested);

    private static string Hash(params IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..12];
}
