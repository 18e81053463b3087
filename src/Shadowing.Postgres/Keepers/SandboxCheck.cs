using Shadowing.Model;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Sandbox;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;
using Shadowing.Supervision;
using Shadowing.Writing;

namespace Shadowing.Postgres.Keepers;

/// <summary>Looks whether there is a sandbox, and whether its role could write to a table.</summary>
public sealed class SandboxCheck(WriteSandbox sandbox, ShadowedDatabase database, Findings findings, ShadowSwitch shadowSwitch)
{
    /// <summary>Without a sandbox writes are not compared, and the candidate writes nothing for users; reads do without.</summary>
    /// <returns>Whether its role could write: then nothing is safe.</returns>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        if (database.Sandbox.Count == 0)
        {
            shadowSwitch.HasSandbox = false;
            return false;
        }

        try
        {
            await using var session = await sandbox.OpenAsync(RowImage.Empty, new Dictionary<string, long>(), cancellationToken);
            var powers = await ShadowRoleCheck.CheckAsync(session.Connection, cancellationToken);
            findings.Replace("sandbox", [.. powers.Select(power => RoleFinding.ForPower("sandbox", power))]);
            shadowSwitch.HasSandbox = true;
            return powers.Count > 0;
        }
        catch (SandboxUnsafeException unsafely)
        {
            shadowSwitch.HasSandbox = false;
            findings.Replace(
                "sandbox", new Finding(Finding.Critical, "ConnectionStrings:Sandbox", $"{unsafely.Message} Writes are not shadowed."));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            shadowSwitch.HasSandbox = false;
            findings.Replace("sandbox", new Finding(
                Finding.Warning, "ConnectionStrings:Sandbox",
                $"There is no sandbox ({PostgresErrors.Categorize(failure).Name}): writes are not shadowed."));
        }

        return false;
    }
}
