using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Postgres.Doctor;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The answer of <c>/shadow/v1/doctor</c>: every check, those that ask for something first.</summary>
/// <param name="Build">This build's fingerprint.</param>
internal sealed record DoctorAnswer(DateTimeOffset AsOf, string Replica, string Build, IReadOnlyList<DoctorCheck> Checks);

/// <summary>The checks of the installation.</summary>
internal static class DoctorEndpoints
{
    public static void MapDoctor(this IEndpointRouteBuilder shadow) => shadow.MapGet(
        "/doctor",
        static async (
            SetupDoctor doctor, ShadowingReport report, EvidenceLedger ledger, TimeProvider clock, CancellationToken cancellationToken) =>
            TypedResults.Ok(new DoctorAnswer(clock.GetUtcNow(), report.Replica, ledger.Fingerprint, await doctor.CheckAsync(
                cancellationToken))))
        .WithName("shadow.doctor").WithSummary("Checks connections, roles, poolers, versions, clocks and replicas, and says what to do.")
        .ProducesProblem(401).ProducesProblem(403);
}
